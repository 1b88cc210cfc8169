//! The tables of exact values.

use std::path::Path;

/// A table: its columns by name, its rows as numbers.
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<f64>>,
}

/// A row of a table.
pub struct Row<'a> {
    columns: &'a [String],
    values: &'a [f64],
}

impl Table {
    /// The table `name` of the test data. A cell that is no number reads as none.
    pub fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name);
        let text = std::fs::read_to_string(path).unwrap();
        let mut lines = text.lines();
        let columns = lines.next().unwrap().split(',').map(str::to_owned).collect();
        let number = |cell: &str| cell.parse().unwrap_or(f64::NAN);
        let rows = lines.map(|line| line.split(',').map(number).collect()).collect();
        Self { columns, rows }
    }

    /// Its rows.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|values| Row { columns: &self.columns, values })
    }
}

impl Row<'_> {
    /// The value in `column`.
    pub fn get(&self, column: &str) -> f64 {
        let index = self.columns.iter().position(|name| name == column).unwrap();
        let value = self.values[index];
        assert!(!value.is_nan(), "{column} is no number");
        value
    }
}
