//! A histogram of request durations that takes no lock.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// Upper bounds in milliseconds; Traefik's defaults.
const BOUNDS: [u64; 4] = [100, 300, 1200, 5000];

/// Counts durations by size.
#[derive(Debug, Clone, Default)]
pub struct Durations(Arc<Cells>);

#[derive(Debug, Default)]
struct Cells {
    /// The last one has no upper bound.
    counts: [AtomicU64; BOUNDS.len() + 1],
    microseconds: AtomicU64,
}

impl Durations {
    pub fn observe(&self, duration: Duration) {
        let place = BOUNDS.partition_point(|&bound| Duration::from_millis(bound) < duration);
        self.0.counts[place].fetch_add(1, Ordering::Relaxed);
        let microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.0.microseconds.fetch_add(microseconds, Ordering::Relaxed);
    }
}

impl TypedMetric for Durations {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Durations {
    fn encode(&self, mut encoder: MetricEncoder) -> fmt::Result {
        let bounds = BOUNDS.iter().map(|&bound| bound as f64 / 1000.0).chain([f64::INFINITY]);
        let counts = self.0.counts.iter().map(|count| count.load(Ordering::Relaxed));
        let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = self.0.microseconds.load(Ordering::Relaxed) as f64 / 1e6;
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    use super::*;

    #[test]
    fn durations_are_counted_below_their_bounds() {
        let durations = Durations::default();
        for milliseconds in [1, 100, 101, 9000] {
            durations.observe(Duration::from_millis(milliseconds));
        }
        let mut registry = Registry::default();
        registry.register("d_seconds", "d", durations);
        let mut text = String::new();
        encode(&mut text, &registry).expect("text takes everything");
        for line in [
            "d_seconds_sum 9.202",
            "d_seconds_count 4",
            "d_seconds_bucket{le=\"0.1\"} 2",
            "d_seconds_bucket{le=\"0.3\"} 3",
            "d_seconds_bucket{le=\"+Inf\"} 4",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
    }
}
