//! Several kernels as a dimension of a run, on their way from `cargo ktstr` to the test processes.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

use crate::{Error, Kernel};

/// A kernel under the name that it has in the names of cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelledKernel {
    /// Its name: `7.3.4`, or longer where that would not tell it apart.
    pub label: String,
    /// Its image.
    pub image: PathBuf,
}

/// The kernels of a run, in the order in which they were given; no two have the same label. Empty when there is no such
/// dimension.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KernelSet(Vec<LabelledKernel>);

/// Between two kernels in the variable.
const SEPARATOR: u8 = b':';

impl KernelSet {
    /// The variable that hands the kernels of a run to its test processes, as `LABEL=IMAGE:LABEL=IMAGE`.
    pub const VARIABLE: &'static str = "KTSTR_TEST_KERNELS";

    /// Labels `kernels` by their version; where two share one by their release, else by their key in the cache, else by
    /// the beginning of their hash too. A kernel that is given twice is taken once.
    pub fn label(kernels: &[Kernel]) -> Self {
        let mut distinct: Vec<&Kernel> = Vec::new();
        for kernel in kernels {
            if !distinct.iter().any(|other| other.image_sha256 == kernel.image_sha256) {
                distinct.push(kernel);
            }
        }
        let names = distinct.iter().map(|kernel| {
            let hash = kernel.image_sha256.to_string();
            [
                kernel.version.to_string(),
                kernel.release.clone(),
                kernel.label().to_owned(),
                format!("{}-{}", kernel.label(), &hash[..8]),
            ]
        });
        let labels = labels(&names.collect::<Vec<_>>());
        let labelled = distinct
            .iter()
            .zip(labels)
            .map(|(kernel, label)| LabelledKernel { label, image: kernel.image.clone() });
        Self(labelled.collect())
    }

    /// What the variable says.
    ///
    /// # Errors
    /// When it is of another form, or two kernels have the same label.
    pub fn of_variable(value: &OsStr) -> Result<Self, Error> {
        let refuse = |why: String| Error::KernelSet { value: value.to_string_lossy().into_owned(), why };
        let mut kernels: Vec<LabelledKernel> = Vec::new();
        for part in value.as_bytes().split(|byte| *byte == SEPARATOR).filter(|part| !part.is_empty()) {
            let shown = String::from_utf8_lossy(part).into_owned();
            let at = part.iter().position(|byte| *byte == b'=');
            let Some((label, image)) = at.map(|at| (&part[..at], &part[at + 1..])) else {
                return Err(refuse(format!("`{shown}` has no `=`")));
            };
            let label = std::str::from_utf8(label).ok().filter(|label| is_label(label));
            let (Some(label), false) = (label, image.is_empty()) else {
                return Err(refuse(format!("`{shown}` has no label or no image")));
            };
            if kernels.iter().any(|other| other.label == label) {
                return Err(refuse(format!("the label `{label}` is there twice")));
            }
            let image = PathBuf::from(OsString::from_vec(image.to_vec()));
            kernels.push(LabelledKernel { label: label.to_owned(), image });
        }
        Ok(Self(kernels))
    }

    /// The value of the variable.
    ///
    /// # Errors
    /// When an image's path has a colon, which the variable uses itself.
    pub fn to_variable(&self) -> Result<OsString, Error> {
        let mut value = Vec::new();
        for LabelledKernel { label, image } in &self.0 {
            let path = image.as_os_str().as_bytes();
            if path.contains(&SEPARATOR) {
                return Err(Error::ColonInPath { path: image.clone() });
            }
            if !value.is_empty() {
                value.push(SEPARATOR);
            }
            value.extend_from_slice(label.as_bytes());
            value.push(b'=');
            value.extend_from_slice(path);
        }
        Ok(OsString::from_vec(value))
    }

    /// The kernels.
    pub fn kernels(&self) -> &[LabelledKernel] {
        &self.0
    }

    /// Whether kernels are a dimension: there are two or more.
    pub fn is_dimension(&self) -> bool {
        self.0.len() > 1
    }

    /// The kernel of this label.
    pub fn get(&self, label: &str) -> Option<&LabelledKernel> {
        self.0.iter().find(|kernel| kernel.label == label)
    }

    /// All labels, for messages.
    pub fn labels(&self) -> String {
        let labels: Vec<&str> = self.0.iter().map(|kernel| kernel.label.as_str()).collect();
        labels.join(", ")
    }
}

fn is_label(label: &str) -> bool {
    !label.is_empty() && !label.contains('/')
}

/// The first name of each that no other has; the last when there is none.
fn labels<const N: usize>(names: &[[String; N]]) -> Vec<String> {
    let mut used: [HashMap<&str, usize>; N] = std::array::from_fn(|_| HashMap::new());
    for names in names {
        for (level, name) in names.iter().enumerate() {
            *used[level].entry(name).or_default() += 1;
        }
    }
    let label = |names: &[String; N]| {
        let alone = names.iter().enumerate().find(|(level, name)| used[*level][name.as_str()] == 1);
        let chosen = alone.map_or(&names[N - 1], |(_, name)| name);
        chosen.replace('/', "-")
    };
    names.iter().map(label).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(texts: [&str; 3]) -> [String; 3] {
        texts.map(str::to_owned)
    }

    #[test]
    fn the_shortest_name_that_tells_apart_is_the_label() {
        let given = [
            names(["7.3.4", "7.3.4+deb13-cloud-amd64", "a"]),
            names(["6.18.5", "6.18.5+deb13-cloud-amd64", "b"]),
            names(["7.1", "7.1.0-mine", "c"]),
            names(["7.1", "7.1.0-yours", "d"]),
            names(["7.0", "7.0.0", "7.0.0-ktstr-1"]),
            names(["7.0", "7.0.0", "7.0.0-ktstr-2"]),
        ];
        let expected = ["7.3.4", "6.18.5", "7.1.0-mine", "7.1.0-yours", "7.0.0-ktstr-1", "7.0.0-ktstr-2"];
        assert_eq!(labels(&given), expected);
    }

    #[test]
    fn what_is_no_set_is_refused_with_the_reason() {
        for (value, why) in [
            ("7.3.4", "`7.3.4` has no `=`"),
            ("=/boot/x", "has no label"),
            ("7.3.4=", "no image"),
            ("a/b=/boot/x", "has no label"),
            ("7=/a:7=/b", "the label `7` is there twice"),
        ] {
            let error = KernelSet::of_variable(OsStr::new(value)).unwrap_err().to_string();
            assert!(error.starts_with("KTSTR_TEST_KERNELS=") && error.contains(why), "{error}");
        }
        let set = KernelSet(vec![LabelledKernel { label: "7".into(), image: "/a:b".into() }]);
        assert!(set.to_variable().unwrap_err().to_string().contains("/a:b"));
    }

    proptest! {
        #[test]
        fn the_variable_reads_back(images in proptest::collection::vec("/[a-z/.=+-]{1,12}", 0..4)) {
            let kernels = images.into_iter().enumerate();
            let set = KernelSet(
                kernels
                    .map(|(n, image)| LabelledKernel { label: format!("7.{n}"), image: image.into() })
                    .collect(),
            );
            prop_assert_eq!(KernelSet::of_variable(&set.to_variable().unwrap()).unwrap(), set);
        }
    }
}
