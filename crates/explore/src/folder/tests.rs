use ktstr_model::{Assert, Cause, Digest, Mode, Topology, Verdict};

use super::*;
use crate::signature::Signature;

fn parameters() -> Parameters {
    Parameters {
        ktstr: "0.1.0".to_owned(),
        strategy: StrategyName::Delays,
        seed: 1,
        machine: "m".to_owned(),
        files: "f".to_owned(),
        order: RunOrder {
            turn_ns: 1,
            seed: 1,
            duration_ns: 1,
            settle_ns: 1,
            assert: Assert::default_checks(),
            ..RunOrder::plain("inner::t", Topology::of(1, 1, 4, 1), Mode::Deterministic)
        },
    }
}

fn outcome(number: u64) -> Outcome {
    Outcome {
        number,
        verdict: Verdict::Fail,
        signature: Some(Signature::new(Cause::SchedulerDied, "stall", &[], "")),
        headline: "stall".to_owned(),
        digest: Some(Digest::of(b"x")),
        guest_ns: 5,
        wall_ms: 0.1,
        variation: Some(ktstr_model::Variation::default()),
        token: None,
    }
}

#[test]
fn a_campaign_goes_on_where_it_was_cut_off() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("campaign");
    let mut folder = CampaignFolder::open(&path, &parameters()).unwrap();
    assert_eq!(folder.take_earlier(), []);
    folder.keep(&outcome(0)).unwrap();
    folder.keep(&outcome(1)).unwrap();
    drop(folder);
    let lines = path.join(RUNS);
    let whole = fs::read_to_string(&lines).unwrap();
    fs::write(&lines, format!("{whole}{{\"number\":2,\"ver")).unwrap();

    let mut folder = CampaignFolder::open(&path, &parameters()).unwrap();
    assert_eq!(folder.take_earlier(), [outcome(0), outcome(1)]);
    folder.keep(&outcome(2)).unwrap();
    drop(folder);
    let mut folder = CampaignFolder::open(&path, &parameters()).unwrap();
    assert_eq!(folder.take_earlier(), [outcome(0), outcome(1), outcome(2)]);
}

#[test]
fn a_folder_is_used_by_one_process() {
    let place = tempfile::tempdir().unwrap();
    let _used = CampaignFolder::open(place.path(), &parameters()).unwrap();
    let error = CampaignFolder::open(place.path(), &parameters()).unwrap_err().to_string();
    assert!(error.ends_with("is in use: another process carries this campaign out"), "{error}");
}

#[test]
fn what_does_not_fit_is_refused_in_words() {
    let place = tempfile::tempdir().unwrap();
    drop(CampaignFolder::open(place.path(), &parameters()).unwrap());
    let refusal = |parameters: &Parameters| {
        let error = CampaignFolder::open(place.path(), parameters).unwrap_err().to_string();
        error.replace(&place.path().display().to_string(), "FOLDER")
    };
    let other = Parameters { seed: 2, files: "g".to_owned(), ..parameters() };
    insta::assert_snapshot!(refusal(&other), @"FOLDER is of another campaign; what differs: the seed, the test binary or the scheduler. Leave --campaign out, or name a new folder");
    let stored = place.path().join(PARAMETERS);
    fs::write(&stored, r#"{"schema":7,"something":"else"}"#).unwrap();
    insta::assert_snapshot!(refusal(&parameters()), @"FOLDER is a campaign's folder in format 7, and this version of ktstr has format 1: begin a new campaign in another folder, or go on with the version that made it");
    fs::write(&stored, "{}").unwrap();
    insta::assert_snapshot!(refusal(&parameters()), @"FOLDER is a campaign's folder in format 0, and this version of ktstr has format 1: begin a new campaign in another folder, or go on with the version that made it");
    fs::write(&stored, "once upon a time").unwrap();
    insta::assert_snapshot!(refusal(&parameters()), @"FOLDER/campaign.json cannot be read as part of a campaign: expected value at line 1 column 1; begin a new one in another folder");
}

#[test]
fn every_parameter_gives_a_folder_of_its_own() {
    let names = [
        parameters(),
        Parameters { seed: 2, ..parameters() },
        Parameters { files: "g".to_owned(), ..parameters() },
        Parameters { strategy: StrategyName::Seeds, ..parameters() },
    ]
    .map(|parameters| parameters.folder_name());
    assert!(names[0].starts_with("inner.t-delays-"), "{}", names[0]);
    assert_eq!(names.iter().collect::<std::collections::HashSet<_>>().len(), 4);
}

#[test]
fn a_folder_with_other_things_is_left_alone() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("notes.txt"), "mine").unwrap();
    let error = CampaignFolder::open(place.path(), &parameters()).unwrap_err();
    assert!(matches!(error, FolderError::NotEmpty(_)), "{error}");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "nothing was put there");
    let nowhere = place.path().join("none");
    let error = CampaignFolder::open_existing(&nowhere, &parameters()).unwrap_err();
    assert!(matches!(error, FolderError::None(_)) && !nowhere.exists(), "{error}");
}
