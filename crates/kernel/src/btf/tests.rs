use proptest::prelude::*;

use super::*;

/// Builds BTF by hand: a function `name(struct KIND *)` for each pair.
pub(crate) fn btf_bytes(functions: &[(&str, &str)]) -> Vec<u8> {
    let (mut types, mut names) = (Vec::new(), vec![0]);
    let mut count = 0;
    let mut add = |name: &str, kind: u8, members: u32, target: u32, extra: &[u32]| {
        let name_at = if name.is_empty() { 0 } else { names.len() as u32 };
        if !name.is_empty() {
            names.extend_from_slice(name.as_bytes());
            names.push(0);
        }
        for word in [name_at, u32::from(kind) << 24 | members, target].iter().chain(extra) {
            types.extend_from_slice(&word.to_le_bytes());
        }
        count += 1;
        count
    };
    add("int", 1, 0, 4, &[32]);
    for (name, pointee) in functions {
        let target = add(pointee, 4, 0, 8, &[]);
        let constant = add("", CONST, 0, target, &[]);
        let pointer = add("", PTR, 0, constant, &[]);
        let prototype = add("", FUNC_PROTO, 2, 0, &[0, 1, 0, pointer]);
        add(name, FUNC, 1, prototype, &[]);
    }
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&[0x9f, 0xeb, 1, 0]);
    for word in [24, 0, types.len() as u32, types.len() as u32, names.len() as u32] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes.extend(types);
    bytes.extend(names);
    bytes
}

#[test]
fn reads_functions_and_what_their_parameters_point_at() {
    let btf = Btf::parse(btf_bytes(&[("first", "task_struct"), ("second", "rq")])).unwrap();
    let functions: Vec<_> = btf.functions().collect();
    assert_eq!(functions.iter().map(|f| f.name).collect::<Vec<_>>(), ["first", "second"]);
    assert_eq!(btf.pointees(&functions[0]).collect::<Vec<_>>(), [None, Some("task_struct")]);
    assert_eq!(btf.type_count(), 11);
    assert_eq!(
        (1..=11).filter_map(|id| btf.type_name(id)).collect::<Vec<_>>(),
        ["int", "task_struct", "first", "rq", "second"]
    );
    assert_eq!((btf.type_name(0), btf.type_name(12)), (None, None));
}

#[test]
fn refuses_what_is_no_btf() {
    let good = btf_bytes(&[("first", "rq")]);
    let mut unknown = good.clone();
    unknown[24 + 7] = 31;
    for (bytes, why) in [
        (Vec::new(), "does not begin"),
        (b"\x7fELF".to_vec(), "does not begin"),
        (good[..10].to_vec(), "truncated"),
        (good[..good.len() - 1].to_vec(), "truncated"),
        (unknown, "type 1 is of the unknown kind 31"),
    ] {
        let error = Btf::parse(bytes).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

proptest! {
    #[test]
    fn never_panics(mut bytes in prop::collection::vec(any::<u8>(), 0..200), keep in 0usize..60) {
        let good = btf_bytes(&[("first", "rq")]);
        let keep = keep.min(bytes.len());
        bytes[..keep].copy_from_slice(&good[..keep]);
        if let Ok(btf) = Btf::parse(bytes) {
            for function in btf.functions() {
                btf.pointees(&function).for_each(drop);
            }
        }
    }
}
