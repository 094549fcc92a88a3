//! Tables, fitted to the width of the terminal.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use unicode_width::UnicodeWidthStr;

/// Minimum width of a column of text.
const NARROWEST: usize = 20;
/// Spaces around a cell.
const PADDING: usize = 2;

/// Formats rows as a table. If the terminal is too narrow, long texts wrap; if words would have to be
/// split, each row becomes a list.
///
/// * `width` - the width of the terminal in columns, if known.
pub(crate) fn lay_out<const N: usize>(
    head: &[String; N],
    rows: Vec<[String; N]>,
    width: Option<usize>,
) -> String {
    let cells = |column: usize| {
        let below = rows.iter().map(move |row| &row[column]);
        std::iter::once(&head[column]).chain(below)
    };
    let columns = 0..N;
    let natural = columns.clone().map(|column| {
        let widths = cells(column).map(|cell| cell.lines().map(shown_width).max().unwrap_or(0));
        widths.max().unwrap_or(0)
    });
    let natural: Vec<_> = natural.collect();
    let least = columns.map(|column| {
        let words = cells(column).flat_map(|cell| cell.split_whitespace());
        let longest = words.map(shown_width).max().unwrap_or(0);
        longest.max(natural[column].min(NARROWEST))
    });
    let least: Vec<_> = least.collect();
    let total = |widths: &[usize]| widths.iter().map(|width| width + PADDING).sum::<usize>();
    match width.filter(|width| *width < total(&natural)) {
        None => table(head, rows, None),
        Some(width) if width >= total(&least) => table(head, rows, Some((width, &least))),
        Some(_) => lists(head, rows),
    }
}

/// * `room` - the width of the terminal, and the minimum width of each column.
fn table<const N: usize>(
    head: &[String; N],
    rows: Vec<[String; N]>,
    room: Option<(usize, &[usize])>,
) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(head);
    for row in rows {
        table.add_row(row);
    }
    let short = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
    if let Some((width, least)) = room {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(short(width));
        for (column, least) in table.column_iter_mut().zip(least) {
            let least = Width::Fixed(short(least + PADDING));
            column.set_constraint(ColumnConstraint::LowerBoundary(least));
        }
    }
    let text = table.to_string();
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}

/// Formats each row as lines of a name and a value.
fn lists<const N: usize>(head: &[String; N], rows: Vec<[String; N]>) -> String {
    let widest = head.iter().map(|name| shown_width(name.trim())).max();
    let row = |row: [String; N]| {
        let lines = head.iter().zip(&row).map(|(name, value)| {
            let name = name.trim();
            let blanks = widest.unwrap_or(0).saturating_sub(shown_width(name));
            let line = format!("{name}{}  {}", " ".repeat(blanks), value.trim());
            line.trim_end().to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    rows.into_iter().map(row).collect::<Vec<_>>().join("\n\n")
}

/// Returns the width of a text in columns, without its colour codes.
fn shown_width(text: &str) -> usize {
    let mut width = 0;
    let mut rest = text;
    while let Some((before, code)) = rest.split_once('\u{1b}') {
        width += before.width();
        rest = code.split_once('m').map_or("", |(_, after)| after);
    }
    width + rest.width()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0193a5c7d8e97f00a1b2c3d4e5000000";
    const TIME: &str = "2026-11-30 12:00:00Z";

    fn laid_out(width: Option<usize>) -> String {
        let head = ["raised", "notification", "subject"].map(str::to_owned);
        let subject = "db1 is at 97 % of its disk and will be full within the hour";
        let row = [TIME, ID, subject].map(str::to_owned);
        lay_out(&head, vec![row.clone(), row], width)
    }

    #[test]
    fn keeps_rows_on_one_line_without_a_limit() {
        for width in [None, Some(1000)] {
            assert_eq!(laid_out(width).lines().count(), 3);
        }
    }

    #[test]
    fn wraps_long_texts_without_splitting_words() {
        let text = laid_out(Some(90));
        assert!(
            text.lines().all(|line| line.chars().count() <= 90),
            "{text}"
        );
        assert_eq!(
            (text.matches(ID).count(), text.matches(TIME).count()),
            (2, 2),
            "{text}"
        );
        assert!(text.lines().count() > 3, "{text}");
    }

    #[test]
    fn lists_each_row_on_a_narrow_terminal() {
        for width in [1, 20, 60] {
            let text = laid_out(Some(width));
            assert_eq!(
                (text.matches(ID).count(), text.matches(TIME).count()),
                (2, 2),
                "{text}"
            );
            assert_eq!(text.lines().count(), 7, "{text}");
            assert!(text.contains(&format!("notification  {ID}\n")), "{text}");
        }
    }

    #[test]
    fn ignores_colour_codes_in_widths() {
        let plain = ["state".to_owned(), "on".to_owned()];
        let painted = ["\u{1b}[2mstate\u{1b}[0m".to_owned(), "on".to_owned()];
        let row = ["\u{1b}[32mdelivered\u{1b}[0m".to_owned(), "x".to_owned()];
        assert_eq!(shown_width(&painted[0]), 5);
        let text = lay_out(&painted, vec![row.clone()], Some(17));
        assert_eq!(text.lines().count(), 2, "{text}");
        let text = lay_out(&plain, vec![row], Some(5));
        assert!(text.starts_with("state  "), "{text}");
    }
}
