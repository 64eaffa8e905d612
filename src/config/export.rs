//! Where traces go, by OpenTelemetry's standard variables.

use http::{HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use super::parse::{base_url, list};
use super::reader::VariableReader;
use super::variables as var;

const MOST_HEADERS: usize = 20;
const LONGEST_NAME: usize = 255;

#[derive(Debug, Clone)]
pub struct ExportConfig {
    /// `OTEL_EXPORTER_OTLP_ENDPOINT` and the path of traces.
    pub url: String,
    /// `OTEL_EXPORTER_OTLP_HEADERS`; the values are marked as sensitive, so that none of them is ever printed.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// `OTEL_SERVICE_NAME`: the service's name in traces.
    pub service_name: String,
    /// `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`: which traces are exported.
    pub sampling: Sampling,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sampling {
    All,
    /// No traces.
    None,
    /// This share of traces, from 0 to 1.
    Share(f64),
}

/// What a sampler's name says, before the share is known.
#[derive(Clone, Copy)]
enum Sampler {
    All,
    None,
    Share,
}

impl ExportConfig {
    pub(super) fn read(reader: &mut VariableReader<'_>) -> Option<Self> {
        if !cfg!(feature = "otel") && reader.is_set(&var::OTEL_EXPORTER_OTLP_ENDPOINT) {
            let found = "a value, while this program was built without the feature otel";
            reader.problem(&var::OTEL_EXPORTER_OTLP_ENDPOINT, found.to_owned());
            return None;
        }
        let endpoint = reader.optional(&var::OTEL_EXPORTER_OTLP_ENDPOINT, base_url);
        let headers = reader.or_default(&var::OTEL_EXPORTER_OTLP_HEADERS, Vec::new(), headers);
        let name = |s: &str| (s.chars().count() <= LONGEST_NAME).then(|| s.to_owned());
        let service_name = reader.or_default(&var::OTEL_SERVICE_NAME, "taskrouter-sync".to_owned(), name);
        let sampler = reader.or_default(&var::OTEL_TRACES_SAMPLER, Sampler::All, sampler);
        let share = reader.or_default(&var::OTEL_TRACES_SAMPLER_ARG, 1.0, share);
        let sampling = match sampler {
            Sampler::All => Sampling::All,
            Sampler::None => Sampling::None,
            Sampler::Share => Sampling::Share(share),
        };
        Some(Self { url: format!("{}/v1/traces", endpoint?), headers, service_name, sampling })
    }
}

/// Every trace begins in this service, so a parent-based sampler acts as its root sampler.
fn sampler(text: &str) -> Option<Sampler> {
    match text.strip_prefix("parentbased_").unwrap_or(text) {
        "always_on" => Some(Sampler::All),
        "always_off" => Some(Sampler::None),
        "traceidratio" => Some(Sampler::Share),
        _ => None,
    }
}

fn share(text: &str) -> Option<f64> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share))
}

fn headers(text: &str) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let headers = list(text).into_iter().filter(|pair| !pair.is_empty()).map(header);
    headers.collect::<Option<Vec<_>>>().filter(|headers| headers.len() <= MOST_HEADERS)
}

fn header(pair: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = pair.split_once('=')?;
    let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
    let mut value = HeaderValue::from_str(&value).ok()?;
    value.set_sensitive(true);
    Some((name.trim().parse().ok()?, value))
}

#[cfg(all(test, feature = "otel"))]
mod tests {
    use super::*;
    use crate::config::ConfigProblem;

    fn read(variables: &[(&str, &str)]) -> (Option<ExportConfig>, Vec<ConfigProblem>) {
        let lookup = |name: &str| {
            let found = variables.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let mut reader = VariableReader::new(&lookup);
        let config = ExportConfig::read(&mut reader);
        (config, reader.into_problems())
    }

    #[test]
    fn nothing_is_exported_without_an_endpoint() {
        let (config, problems) = read(&[("OTEL_SERVICE_NAME", "x"), ("OTEL_EXPORTER_OTLP_HEADERS", "a=b")]);
        assert!(config.is_none() && problems.is_empty());
    }

    #[test]
    fn the_standard_variables_are_read_as_their_standard_says() {
        let (config, problems) = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.example:4318/"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20s3cret, x-tenant=one,"),
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ]);
        let config = config.unwrap();
        assert_eq!(problems, []);
        assert_eq!(config.url, "https://collector.example:4318/v1/traces");
        assert_eq!(config.service_name, "taskrouter-sync");
        assert_eq!(config.sampling, Sampling::Share(0.25));
        let headers: Vec<_> = config.headers.iter().map(|(n, v)| (n.as_str(), v.to_str().unwrap())).collect();
        assert_eq!(headers, [("authorization", "Bearer s3cret"), ("x-tenant", "one")]);
        assert!(!format!("{config:?}").contains("s3cret"), "{config:?}");
    }

    #[test]
    fn what_cannot_be_read_is_named_and_no_secret_shown() {
        let (_, problems) = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "s3cret"),
            ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
            ("OTEL_TRACES_SAMPLER_ARG", "2"),
        ]);
        let variables: Vec<_> = problems.iter().map(|problem| problem.variable).collect();
        let all = ["ENDPOINT", "HEADERS"].map(|name| format!("OTEL_EXPORTER_OTLP_{name}"));
        assert_eq!(variables[..2], all);
        assert_eq!(variables[2..], ["OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"]);
        assert!(problems.iter().all(|problem| !problem.to_string().contains("s3cret")));
    }
}
