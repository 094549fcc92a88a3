//! Deliveries of several ranges of ids, by one statement.

use diesel::expression::{AppearsOnTable, Expression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::{QueryDsl, QueryResult, SelectableHelper};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl;

use super::Conn;
use crate::error::Fault;
use crate::row::delivery::DeliveryRow;
use crate::schema::deliveries;

/// The deliveries whose ids lie within some ranges, each from its first to its last, in their order.
pub(super) async fn within(
    conn: &mut Conn,
    ranges: Vec<(String, String)>,
) -> Result<Vec<DeliveryRow>, Fault> {
    if ranges.is_empty() {
        return Ok(Vec::new());
    }
    let rows = deliveries::table
        .filter(Within(ranges))
        .order(deliveries::id)
        .select(DeliveryRow::as_select())
        .load(conn)
        .await?;
    Ok(rows)
}

/// Whether a delivery's id lies within one of some ranges, of which there is at least one: each is
/// looked up in the primary key.
#[derive(Debug)]
struct Within(Vec<(String, String)>);

impl Expression for Within {
    type SqlType = Bool;
}

impl AppearsOnTable<deliveries::table> for Within {}

impl ValidGrouping<()> for Within {
    type IsAggregate = is_aggregate::No;
}

/// By its text, which grows with the ranges.
impl QueryId for Within {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Pg> for Within {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
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
