//! What the API's description says of one route.

/// What the description says of one route.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// What it does, in a few words.
    pub(crate) summary: &'static str,
    /// The schema of the body, if it takes one.
    pub(crate) body: Option<&'static str>,
    /// The status of success, and the schema of its body, if it has one.
    pub(crate) answer: (u16, Option<&'static str>),
    /// The names of its parameters in the query and of the headers it reads.
    pub(crate) parameters: &'static [&'static str],
}
