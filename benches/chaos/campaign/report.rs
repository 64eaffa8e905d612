//! The table, in Markdown, which reads well on a terminal too.

use std::fmt::Write;

use super::Finding;

/// All findings, one a row, and below it what was done.
pub(crate) fn report(findings: &[Finding]) -> String {
    let head = [
        "Fault",
        "Tried",
        "Recovered",
        "Longest recovery, s",
        "Allowed, s",
        "Peak memory, MiB",
        "Otherwise",
        "",
    ];
    let rows = findings.iter().map(|finding| {
        let well = finding.problems.is_empty() && finding.longest <= finding.allowed;
        [
            finding.fault.to_owned(),
            finding.tried.to_string(),
            finding.recovered.to_string(),
            format!("{:.2}", finding.longest.as_secs_f64()),
            format!("{:.1}", finding.allowed.as_secs_f64()),
            (finding.peak_kib / 1024).to_string(),
            finding.notes.join("; "),
            if well { "survived" } else { "**not survived**" }.to_owned(),
        ]
    });
    let mut text = String::new();
    let mut line = |cells: &[String]| writeln!(text, "| {} |", cells.join(" | ")).unwrap();
    line(&head.map(str::to_owned));
    line(&head.map(|_| "---".to_owned()));
    rows.for_each(|row| line(&row));
    text.push('\n');
    for finding in findings {
        writeln!(text, "- **{}**: {}", finding.fault, finding.about).unwrap();
        for problem in &finding.problems {
            writeln!(text, "  - NOT AS IT MUST BE: {problem}").unwrap();
        }
    }
    text
}
