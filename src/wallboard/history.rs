//! The last hours of each metric, for the curves in the tiles: in memory and bounded.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

/// Seconds per point.
const STEP: i64 = 20;
/// Points that are kept: four hours.
const MOST_POINTS: usize = 720;

/// Seconds since 1970, and the value; `None` where there was none.
pub type Point = (i64, Option<f64>);

/// Curves by metric, as they are passed to the next leader.
pub type Curves = BTreeMap<String, Vec<Point>>;

#[derive(Debug, Default)]
pub struct History {
    curves: HashMap<Arc<str>, VecDeque<Point>>,
}

impl History {
    /// Adds the metrics' present values, and forgets deleted metrics. A step keeps its last value.
    pub(super) fn add(&mut self, now: i64, values: &[(Arc<str>, Option<f64>)]) {
        self.curves.retain(|name, _| values.iter().any(|(other, _)| other == name));
        for (name, value) in values {
            let curve = self.curves.entry(name.clone()).or_default();
            let step = now - now.rem_euclid(STEP);
            match curve.back_mut() {
                Some(last) if last.0 - last.0.rem_euclid(STEP) == step => *last = (now, *value),
                // A clock that was set back adds no points.
                Some(last) if last.0 > now => {}
                _ => {
                    if curve.len() == MOST_POINTS {
                        curve.pop_front();
                    }
                    curve.push_back((now, *value));
                }
            }
        }
    }

    pub fn all(&self) -> Curves {
        let points = |curve: &VecDeque<Point>| curve.iter().copied().collect();
        self.curves.iter().map(|(name, curve)| (name.to_string(), points(curve))).collect()
    }

    /// Continues the curves of another process.
    pub(super) fn take_over(&mut self, curves: Curves) {
        for (name, points) in curves {
            let known = self.curves.entry(name.into()).or_default();
            let first = known.front().map_or(i64::MAX, |point| point.0);
            let mut earlier: VecDeque<Point> = points.into_iter().filter(|point| point.0 < first).collect();
            earlier.append(known);
            let surplus = earlier.len().saturating_sub(MOST_POINTS);
            earlier.drain(..surplus);
            *known = earlier;
        }
    }

    /// A metric's curve; empty for an unknown metric.
    pub fn of(&self, name: &str) -> Vec<Point> {
        self.curves.get(name).map(|curve| curve.iter().copied().collect()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_on_from_another_process() {
        let (mut first, name): (History, Arc<str>) = (History::default(), "waiting".into());
        (0..3).for_each(|step| first.add(step * STEP, &[(name.clone(), Some(1.0))]));
        let mut second = History::default();
        second.add(3 * STEP, &[(name.clone(), Some(2.0))]);
        second.take_over(first.all());
        assert_eq!(second.of("waiting").iter().map(|point| point.0).collect::<Vec<_>>(), [0, 20, 40, 60]);
    }

    #[test]
    fn is_bounded_and_keeps_gaps() {
        let mut history = History::default();
        let name: Arc<str> = "waiting".into();
        for second in 0..100_000_u32 {
            let value = (second % 60 >= 20).then_some(f64::from(second));
            history.add(i64::from(second), &[(name.clone(), value)]);
        }
        let curve = history.of("waiting");
        assert_eq!(curve.len(), MOST_POINTS);
        assert_eq!(curve.last(), Some(&(99_999, Some(99_999.0))));
        assert!(curve.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(curve.contains(&(99_979, None)) || curve.iter().any(|(_, value)| value.is_none()));
        history.add(5, &[(name.clone(), Some(1.0))]);
        assert_eq!(history.of("waiting").len(), MOST_POINTS);
        history.add(100_050, &[("other".into(), None)]);
        assert!(history.of("waiting").is_empty());
    }
}
