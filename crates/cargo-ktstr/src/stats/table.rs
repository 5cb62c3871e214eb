//! Tables and numbers, as all of `stats` prints them.

use comfy_table::{CellAlignment, Table, presets};

/// A table without lines: `left` columns read from the left, the others line up on the right.
pub fn table(header: &[&str], left: usize) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header);
    for column in table.column_iter_mut().skip(left) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// The table's lines without the blanks at their ends.
pub fn lines(table: &Table) -> String {
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A number with three or more digits that count.
pub fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 1000.0 => format!("{value:.0}"),
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.2}"),
        size if size >= 0.001 => format!("{value:.4}"),
        _ => format!("{value:.1e}"),
    }
}

/// A number with its unit.
pub fn with_unit(value: f64, unit: &str) -> String {
    let number = number(value);
    match unit {
        "" => number,
        "1/s" => format!("{number}/s"),
        unit => format!("{number} {unit}"),
    }
}

/// `1 cell`, `2 cells`.
pub fn count(count: usize, name: &str) -> String {
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_count() {
        let all = [0.0, 2768.11, 449.886, 20.986, -0.6926, 0.00123, 0.0000123].map(number);
        assert_eq!(all, ["0", "2768", "449.9", "20.99", "-0.69", "0.0012", "1.2e-5"]);
        assert_eq!(
            [with_unit(3.0, "1/s"), with_unit(3.0, "ms"), with_unit(3.0, "")],
            ["3.00/s", "3.00 ms", "3.00"]
        );
        assert_eq!([count(1, "cell"), count(2, "cell")], ["1 cell", "2 cells"]);
    }
}
