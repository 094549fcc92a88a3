//! Deliveries of several ranges of ids, by one statement.

use diesel::pg::Pg;
use diesel::prelude::QueryResult;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, Text};
use diesel_async::RunQueryDsl;

use super::Conn;
use crate::error::QueryError;
use crate::row::delivery::DeliveryRow;
use crate::schema::deliveries;

/// The deliveries whose ids lie within some ranges, each from its first to its last, in their order.
pub(super) async fn within(
    conn: &mut Conn,
    ranges: Vec<(String, String)>,
) -> Result<Vec<DeliveryRow>, QueryError> {
    let (firsts, lasts) = ranges.into_iter().unzip();
    Ok(Within { firsts, lasts }.load(conn).await?)
}

/// Looks up one range after the other in the primary key. As one condition of many ranges it would go
/// through the whole table, for every range, as long as the server has not counted what is in it.
#[derive(Debug, QueryId)]
struct Within {
    firsts: Vec<String>,
    lasts: Vec<String>,
}

impl QueryFragment<Pg> for Within {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        deliveries::all_columns.walk_ast(out.reborrow())?;
        out.push_sql(" FROM unnest(");
        out.push_bind_param::<Array<Text>, _>(&self.firsts)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.lasts)?;
        out.push_sql(
            ") AS range (first, last) CROSS JOIN LATERAL (
                SELECT * FROM deliveries WHERE id BETWEEN range.first AND range.last OFFSET 0
            ) AS deliveries ORDER BY deliveries.id",
        );
        Ok(())
    }
}

impl Query for Within {
    type SqlType = deliveries::SqlType;
}
