//! What guests were told otherwise in one run than in another.

use ktstr_model::RunOrder;
use serde_json::{Map, Value};

/// Each field that differs, one line each. What a token fixes cannot differ; what comes from the declaration can.
pub(super) fn plan_differences(then: &RunOrder, here: &RunOrder) -> Vec<String> {
    let [then, here] = [then, here].map(|order| serde_json::to_value(order).unwrap_or_default());
    let mut lines = Vec::new();
    walk("", Some(&then), Some(&here), &mut lines);
    lines
}

fn walk(place: &str, then: Option<&Value>, here: Option<&Value>, lines: &mut Vec<String>) {
    match (then, here) {
        _ if then == here => {}
        (Some(Value::Object(then)), Some(Value::Object(here))) => {
            for key in keys(then, here) {
                let inner = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
                walk(&inner, then.get(key), here.get(key), lines);
            }
        }
        (Some(Value::Array(then)), Some(Value::Array(here)))
            if then.len() == here.len() && then.iter().chain(here).all(Value::is_object) =>
        {
            for (at, (then, here)) in then.iter().zip(here).enumerate() {
                walk(&format!("{place}[{at}]"), Some(then), Some(here), lines);
            }
        }
        _ => lines.push(format!("the run's {place}: {} then, {} here", shown(then), shown(here))),
    }
}

/// Those of the one, then those that only the other has.
fn keys<'a>(one: &'a Map<String, Value>, other: &'a Map<String, Value>) -> impl Iterator<Item = &'a String> {
    one.keys().chain(other.keys().filter(|key| !one.contains_key(*key)))
}

/// A value in a line. Where one run has something of many fields and the other has not, those are not told.
fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "none".to_owned(),
        Some(Value::Object(_)) => "one".to_owned(),
        Some(value) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use ktstr_model::{Assert, Mode, SchedulerLaunch, SchedulerOrder, Topology};

    use super::*;

    fn order() -> RunOrder {
        let args = vec!["--slice".to_owned(), "20".to_owned()];
        let scheduler = SchedulerOrder {
            name: "s".into(),
            launch: SchedulerLaunch::Program { path: "/ktstr/bin/s".into(), args },
            enable_timeout_ns: 1,
            read_bpf: false,
        };
        RunOrder {
            scheduler: Some(scheduler),
            ..RunOrder::plain("t", Topology::of(1, 1, 2, 1), Mode::Deterministic)
        }
    }

    #[test]
    fn only_the_fields_that_differ_are_named() {
        assert_eq!(plan_differences(&order(), &order()), [""; 0]);
        let mut here = order();
        here.assert = Assert { max_gap_ms: Some(100), ..here.assert };
        if let Some(SchedulerOrder { launch: SchedulerLaunch::Program { args, .. }, .. }) =
            &mut here.scheduler
        {
            args[1] = "5".into();
        }
        let none = RunOrder { scheduler: None, ..order() };
        let lines = [plan_differences(&order(), &here), plan_differences(&order(), &none)].concat();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        the run's assert.max_gap_ms: none then, 100 here
        the run's scheduler.launch.Program.args: ["--slice","20"] then, ["--slice","5"] here
        the run's scheduler: one then, none here
        "#);
    }
}
