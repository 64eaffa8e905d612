//! The table, in Markdown, which reads well on a terminal too.

use std::fmt::Write;

use super::Finding;

/// All findings, one a row, and below it what was done.
pub(crate) fn report(findings: &[Finding]) -> String {
    let head = ["Fault", "Recovered", "Longest recovery, s", "Allowed, s", "Peak memory, MiB", "Notes"];
    let rows = findings.iter().map(|finding| {
        let well = finding.problems.is_empty() && finding.longest <= finding.allowed;
        let verdict = (!well).then(|| "**not survived**".to_owned());
        let notes: Vec<_> = verdict.into_iter().chain(finding.notes.iter().cloned()).collect();
        [
            format!("{}: {}", finding.fault, finding.about),
            format!("{} of {}", finding.recovered, finding.tried),
            format!("{:.2}", finding.longest.as_secs_f64()),
            format!("{:.1}", finding.allowed.as_secs_f64()),
            (finding.peak_kib / 1024).to_string(),
            notes.join("; "),
        ]
    });
    let mut text = String::new();
    let mut line = |cells: &[String]| writeln!(text, "| {} |", cells.join(" | ")).unwrap();
    line(&head.map(str::to_owned));
    line(&head.map(|_| "---".to_owned()));
    rows.for_each(|row| line(&row));
    for finding in findings {
        for problem in &finding.problems {
            writeln!(text, "\n- **{}**: {problem}", finding.fault).unwrap();
        }
    }
    text
}
