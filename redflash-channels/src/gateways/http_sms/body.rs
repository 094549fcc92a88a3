//! The configured request, compiled once and rendered for each message.

use std::collections::BTreeMap;

use redflash_core::message::SendError;
use redflash_core::template::Template;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

use super::HttpSmsConfig;
use super::template::{Compiler, Escape, Values};
use crate::ConfigError;
use crate::http::{Request, endpoint};

/// A request of templates.
pub(super) struct RequestTemplate {
    method: Method,
    url: Template,
    query: Vec<(String, Template)>,
    headers: Vec<(HeaderName, Template)>,
    body: Body,
}

enum Body {
    Empty,
    Form(Vec<(String, Template)>),
    Json(Node),
    Text {
        template: Template,
        content_type: HeaderValue,
        escape: Escape,
    },
}

/// A JSON document whose texts are templates.
enum Node {
    Text(Template),
    Plain(Value),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl RequestTemplate {
    /// Compiles the request of a configuration.
    pub(super) fn new(
        config: &HttpSmsConfig,
        compiler: &mut Compiler,
    ) -> Result<Self, ConfigError> {
        check_url(&config.url)?;
        let body = Body::new(config, compiler)?;
        let default = match body {
            Body::Empty => "GET",
            _ => "POST",
        };
        let method = match config.method.as_deref().unwrap_or(default) {
            "GET" => Method::GET,
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            _ => return Err(ConfigError::at("method", "it must be GET, POST or PUT")),
        };
        if method == Method::GET && !matches!(body, Body::Empty) {
            let reason = "a GET has no body: use query instead of form, json or text";
            return Err(ConfigError::at("method", reason));
        }
        let mut headers = Vec::new();
        for (name, source) in &config.headers {
            let key = format!("headers.{name}");
            let template = compiler.compile(&key, source)?;
            let name = HeaderName::try_from(name);
            let name = name.map_err(|_| ConfigError::at(key, "it is not a valid header name"))?;
            headers.push((name, template));
        }
        Ok(Self {
            method,
            url: compiler.compile("url", &config.url)?,
            query: table("query", &config.query, compiler)?,
            headers,
            body,
        })
    }

    /// Returns the request for a message.
    pub(super) fn fill(&self, values: &Values) -> Result<Request, SendError> {
        let url = values.escaped(Escape::Url).fill(&self.url)?;
        // Percent-encoding does not prevent a value of dots from leading to another path.
        let path = url.split(['?', '#']).next().unwrap_or_default();
        if path.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(rejected("its values change the path of the URL"));
        }
        let mut url = Url::parse(&url).map_err(|_| rejected("its values make the URL invalid"))?;
        if !self.query.is_empty() {
            let pairs = filled(&self.query, values)?;
            url.query_pairs_mut().extend_pairs(pairs);
        }
        let mut request = Request::get(url, values.at);
        request.method = self.method.clone();
        if let Some((body, content_type)) = self.body.fill(values)? {
            request.body = body;
            request.headers.insert(CONTENT_TYPE, content_type);
        }
        for (name, template) in &self.headers {
            let text = values.fill(template)?;
            let line = text.replace(|c: char| c.is_control(), " ");
            let value = HeaderValue::try_from(line);
            let mut value = value.map_err(|_| rejected("its values make a header invalid"))?;
            value.set_sensitive(true);
            request.headers.insert(name, value);
        }
        Ok(request)
    }
}

impl Body {
    fn new(config: &HttpSmsConfig, compiler: &mut Compiler) -> Result<Self, ConfigError> {
        let kind = config.content_type.as_deref();
        match (&config.form, &config.json, &config.text) {
            (None, None, None) => Ok(Self::Empty),
            (Some(form), None, None) => Ok(Self::Form(table("form", form, compiler)?)),
            (None, Some(json), None) => Ok(Self::Json(Node::new("json", json, compiler)?)),
            (None, None, Some(text)) => {
                let kind = kind.unwrap_or("text/plain; charset=utf-8");
                let lower = kind.to_lowercase();
                for (own, word) in [("form", "urlencoded"), ("json", "json")] {
                    if lower.contains(word) {
                        let reason = format!("use {own} instead of text, which escapes its values");
                        return Err(ConfigError::at("content_type", reason));
                    }
                }
                let content_type = HeaderValue::try_from(kind);
                Ok(Self::Text {
                    template: compiler.compile("text", text)?,
                    content_type: content_type.map_err(|_| {
                        ConfigError::at("content_type", "it is not a valid content type")
                    })?,
                    escape: if lower.contains("xml") {
                        Escape::Xml
                    } else {
                        Escape::None
                    },
                })
            }
            _ => {
                let reason = "set only one of form, json and text";
                Err(ConfigError::at("text", reason))
            }
        }
    }

    fn fill(&self, values: &Values) -> Result<Option<(String, HeaderValue)>, SendError> {
        let fixed = HeaderValue::from_static;
        Ok(Some(match self {
            Self::Empty => return Ok(None),
            Self::Form(fields) => {
                let mut body = form_urlencoded::Serializer::new(String::new());
                body.extend_pairs(filled(fields, values)?);
                (body.finish(), fixed("application/x-www-form-urlencoded"))
            }
            Self::Json(node) => (node.fill(values)?.to_string(), fixed("application/json")),
            Self::Text {
                template,
                content_type,
                escape,
            } => (
                values.escaped(*escape).fill(template)?,
                content_type.clone(),
            ),
        }))
    }
}

impl Node {
    fn new(key: &str, value: &Value, compiler: &mut Compiler) -> Result<Self, ConfigError> {
        Ok(match value {
            Value::String(source) => Self::Text(compiler.compile(key, source)?),
            Value::Array(items) => {
                let nodes = items.iter().enumerate();
                let nodes =
                    nodes.map(|(i, item)| Self::new(&format!("{key}[{i}]"), item, compiler));
                Self::Array(nodes.collect::<Result<_, _>>()?)
            }
            Value::Object(fields) => {
                let nodes = fields.iter().map(|(name, value)| {
                    let inner = Self::new(&format!("{key}.{name}"), value, compiler)?;
                    Ok((name.clone(), inner))
                });
                Self::Object(nodes.collect::<Result<_, _>>()?)
            }
            plain => Self::Plain(plain.clone()),
        })
    }

    fn fill(&self, values: &Values) -> Result<Value, SendError> {
        Ok(match self {
            Self::Text(template) => Value::String(values.fill(template)?),
            Self::Plain(value) => value.clone(),
            Self::Array(nodes) => {
                let items = nodes.iter().map(|node| node.fill(values));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            Self::Object(nodes) => {
                let fields = nodes
                    .iter()
                    .map(|(name, node)| Ok((name.clone(), node.fill(values)?)));
                Value::Object(fields.collect::<Result<Map<_, _>, _>>()?)
            }
        })
    }
}

fn table(
    key: &str,
    fields: &BTreeMap<String, String>,
    compiler: &mut Compiler,
) -> Result<Vec<(String, Template)>, ConfigError> {
    let mut pair = |(name, source): (&String, &String)| {
        let template = compiler.compile(&format!("{key}.{name}"), source)?;
        Ok((name.clone(), template))
    };
    fields.iter().map(&mut pair).collect()
}

fn filled<'a>(
    templates: &'a [(String, Template)],
    values: &Values,
) -> Result<Vec<(&'a str, String)>, SendError> {
    let pairs = templates.iter();
    let pairs = pairs.map(|(name, template)| Ok((&**name, values.fill(template)?)));
    pairs.collect()
}

/// Checks that the host of a URL is fixed, so that no message can choose it.
fn check_url(source: &str) -> Result<(), ConfigError> {
    let invalid = |reason: &str| ConfigError::at("url", reason);
    let fixed = source.split("{{").next().unwrap_or_default();
    let path = fixed.split_once("://").map_or("", |(_, rest)| rest);
    if fixed.len() < source.len() && !path.contains(['/', '?']) {
        return Err(invalid("its host must come before the first {{"));
    }
    let url = Url::parse(fixed).map_err(|error| invalid(&format!("it is not a URL: {error}")))?;
    endpoint(&url, &[]).map_err(|error| invalid(&error.reason))?;
    Ok(())
}

fn rejected(reason: &str) -> SendError {
    SendError::Rejected {
        reason: reason.into(),
    }
}
