//! A condition that Diesel has not.

use diesel::backend::Backend;
use diesel::expression::{
    AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate,
};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{Bool, Text};

use crate::schema::deliveries;

/// Whether a delivery's id is within one of some ranges, each from its first to its last: each is
/// looked up in the primary key. At least one, and no more than a statement has room for.
#[derive(Debug)]
pub(crate) struct Within(pub(crate) Vec<(String, String)>);

impl Expression for Within {
    type SqlType = Bool;
}

impl AppearsOnTable<deliveries::table> for Within {}

impl SelectableExpression<deliveries::table> for Within {}

impl ValidGrouping<()> for Within {
    type IsAggregate = is_aggregate::No;
}

/// By its text, which grows with the ranges.
impl QueryId for Within {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Backend> QueryFragment<DB> for Within
where
    String: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        let mut before = "(";
        for (first, last) in &self.0 {
            out.push_sql(before);
            out.push_sql("deliveries.id BETWEEN ");
            out.push_bind_param::<Text, _>(first)?;
            out.push_sql(" AND ");
            out.push_bind_param::<Text, _>(last)?;
            before = " OR ";
        }
        out.push_sql(")");
        Ok(())
    }
}
