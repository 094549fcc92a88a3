//! Rows for people, laid out for the width of their terminal.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use unicode_width::UnicodeWidthStr;

/// The narrowest that a column of text is made.
const NARROWEST: usize = 20;
/// The blanks around a cell.
const PADDING: usize = 2;

/// Lays rows out as a table: in full where there is no bound or enough room, else with long texts over
/// several lines. Where words would have to be split, each row becomes a list of its own.
///
/// * `width` - the columns of the terminal, if there is one that says how many it has.
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

/// * `room` - the columns of the terminal, and those that each column of the table needs.
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

/// Each row as lines of a name and a value.
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

/// The columns of the terminal that a text takes, without its colours.
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
        let head = ["raised", "notification", "says"].map(str::to_owned);
        let says = "db1 is at 97 % of its disk and will be full within the hour";
        let row = [TIME, ID, says].map(str::to_owned);
        lay_out(&head, vec![row.clone(), row], width)
    }

    #[test]
    fn without_a_bound_every_row_is_one_line() {
        for width in [None, Some(1000)] {
            assert_eq!(laid_out(width).lines().count(), 3);
        }
    }

    #[test]
    fn long_texts_are_wrapped_before_words_are_split() {
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
    fn on_a_narrow_terminal_each_row_is_a_list() {
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
    fn colours_take_no_room() {
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
