//! How large a difference is, measured by how much single runs vary.

/// The mean; 0 of nothing.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The variance, estimated from a sample; 0 for fewer than two values.
pub(crate) fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    if values.len() < 2 { 0.0 } else { squares / (values.len() - 1) as f64 }
}

/// Hedges' g of `b` over `a`: the difference of means in pooled standard deviations, corrected for small samples (Hedges
/// 1981). Infinite when neither side varies and their means differ.
pub(crate) fn hedges_g(a: &[f64], b: &[f64]) -> f64 {
    let freedom = (a.len() + b.len()).saturating_sub(2) as f64;
    let squares = variance(a) * (a.len() - 1) as f64 + variance(b) * (b.len() - 1) as f64;
    let (difference, deviation) = (mean(b) - mean(a), (squares / freedom).sqrt());
    if difference == 0.0 {
        return 0.0;
    }
    difference / deviation * (1.0 - 3.0 / (4.0 * freedom - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_in_deviations_of_single_runs() {
        let (a, b) = ([1.0, 2.0, 3.0], [3.0, 4.0, 5.0]);
        // Means 2 apart, deviation 1, correction 1 - 3/15.
        assert!((hedges_g(&a, &b) - 1.6).abs() < 1e-12);
        assert!((hedges_g(&b, &a) + 1.6).abs() < 1e-12);
        assert_eq!(hedges_g(&a, &a), 0.0);
        assert_eq!(hedges_g(&[1.0, 1.0], &[2.0, 2.0]), f64::INFINITY);
        assert_eq!((mean(&[]), variance(&[4.0])), (0.0, 0.0));
    }
}
