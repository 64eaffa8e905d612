//! The reports: sections of tables in Markdown, which read well on a terminal too.

use std::fmt::{self, Display};

/// One scenario's result.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) title: &'static str,
    /// What was done and what each number means.
    pub(crate) about: String,
    pub(crate) tables: Vec<Table>,
    pub(crate) goals: Vec<Goal>,
}

/// A goal beside what was measured. Nothing depends on it.
#[derive(Debug)]
pub(crate) struct Goal {
    pub(crate) what: &'static str,
    pub(crate) goal: String,
    pub(crate) figure: String,
    pub(crate) met: bool,
}

/// Rows of cells; the first row names the columns.
#[derive(Debug, Clone)]
pub(crate) struct Table(Vec<Vec<String>>);

impl Table {
    pub(crate) fn new(head: &[&str]) -> Self {
        Self(vec![head.iter().map(|&name| name.to_owned()).collect()])
    }

    pub(crate) fn row(&mut self, cells: &[&dyn Display]) {
        self.0.push(cells.iter().map(ToString::to_string).collect());
    }

    /// All goals of these sections.
    pub(crate) fn of_goals<'s>(sections: impl IntoIterator<Item = &'s Section>) -> Self {
        let mut table = Self::new(&["", "Goal", "Figure"]);
        for goal in sections.into_iter().flat_map(|section| &section.goals) {
            let verdict = if goal.met { "" } else { " **not met**" };
            table.row(&[&goal.what, &goal.goal, &format!("{}{verdict}", goal.figure)]);
        }
        table
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.0.first().map_or(0, Vec::len);
        let width = |column: usize| {
            self.0.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
        };
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0).max(3)).collect();
        for (number, row) in self.0.iter().enumerate() {
            for (cell, width) in row.iter().zip(&widths) {
                write!(f, "| {cell:width$} ")?;
            }
            writeln!(f, "|")?;
            if number == 0 {
                widths.iter().try_for_each(|width| write!(f, "|{}", "-".repeat(width + 2)))?;
                writeln!(f, "|")?;
            }
        }
        Ok(())
    }
}

impl Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## {}\n\n{}", self.title, self.about)?;
        self.tables.iter().try_for_each(|table| write!(f, "\n{table}"))
    }
}
