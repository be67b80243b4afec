//! Releases of the modelled system: everything that varies between them is a data file with its sources.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

words! {
    /// A release of the modelled system.
    pub enum ReleaseName {
        /// The private preview.
        Preview202109 = "preview-2021-09",
        /// The public preview.
        Preview202110 = "preview-2021-10",
        /// General availability: the default.
        Ga202203 = "ga-2022-03",
        /// The release with group assignment.
        R202308 = "2023-08",
    }
}

words! {
    /// A feature of an ordinary call that some release does not offer in a sealed one.
    pub enum Feature {
        /// Recording of the call.
        Recording = "recording",
        /// Live captions.
        LiveCaptions = "live-captions",
        /// Transcription.
        Transcription = "transcription",
        /// Transfer without asking the target.
        TransferBlind = "transfer-blind",
        /// Transfer that comes back when the target does not answer.
        TransferSafe = "transfer-safe",
        /// Transfer after a talk with the target.
        TransferConsult = "transfer-consult",
        /// Merging two calls.
        Merge = "merge",
        /// Parking the call.
        Park = "park",
        /// Bringing in a third party.
        AddParticipant = "add-participant",
        /// Taking the call along to a second device.
        Companion = "companion",
        /// The callee's voicemail: a setting, never invoked.
        Voicemail = "voicemail",
        /// The callee's second number that rings as well: a setting, never invoked.
        SimultaneousRing = "simultaneous-ring",
    }
}

impl Feature {
    /// Whether the feature is a setting of the callee, which nobody invokes.
    pub const fn is_setting(self) -> bool {
        matches!(self, Self::Voicemail | Self::SimultaneousRing)
    }
}

words! {
    /// What a client runs on.
    pub enum Platform {
        /// Windows desktop.
        Windows = "windows",
        /// Mac desktop.
        Mac = "mac",
        /// iPhone and iPad.
        Ios = "ios",
        /// Android.
        Android = "android",
        /// A meeting-room system on Windows.
        RoomsWindows = "rooms-windows",
        /// A browser.
        Web = "web",
        /// Linux desktop.
        Linux = "linux",
        /// A virtual desktop; nothing is documented.
        Vdi = "vdi",
        /// A desk telephone; nothing is documented.
        Phone = "phone",
    }
}

words! {
    /// The version of a client; no number is published.
    pub enum Version {
        /// The latest.
        Current = "current",
        /// An older one, which is not offered the option.
        Outdated = "outdated",
    }
}

words! {
    /// The kind of a tenant.
    pub enum TenantKind {
        /// A customer's.
        Commercial = "commercial",
        /// A developer's, which is not offered the option.
        Developer = "developer",
    }
}

/// A word of a release together with where it is documented.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sourced<T> {
    /// The word.
    pub name: T,
    /// The document that says so.
    pub source: String,
}

/// Where and for whom the option exists in one release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Release {
    /// Its name.
    pub name: ReleaseName,
    /// One sentence about it.
    pub about: String,
    /// Whether only users in the preview ring have the option.
    pub preview_ring: bool,
    /// Whether a policy can be assigned to a group, by rank.
    pub group_assignment: bool,
    /// Where group assignment, or its absence, is documented.
    pub group_assignment_source: String,
    /// How long the vendor says that a change takes; scenarios use their own `propagation`.
    pub propagation_quoted: String,
    /// Platforms on which the option exists.
    pub platforms: Vec<Sourced<Platform>>,
    /// Features that a sealed call does not have.
    pub unavailable: Vec<Sourced<Feature>>,
}

/// The releases' files, in the order of [`ReleaseName::ALL`].
const FILES: [&str; 4] = [
    include_str!("../releases/preview-2021-09.toml"),
    include_str!("../releases/preview-2021-10.toml"),
    include_str!("../releases/ga-2022-03.toml"),
    include_str!("../releases/2023-08.toml"),
];

impl Release {
    /// The release called `name`.
    ///
    /// # Panics
    /// Never: the files are part of the binary, and a test reads each.
    pub fn of(name: ReleaseName) -> Self {
        // A file is part of the binary and says the same each time: it is read once in a process.
        static READ: [OnceLock<Release>; FILES.len()] = [const { OnceLock::new() }; FILES.len()];
        let at = ReleaseName::ALL.iter().position(|n| *n == name).expect("every name is in ALL");
        let read = || toml::from_str(FILES[at]).expect("the built-in release files are well formed");
        READ[at].get_or_init(read).clone()
    }

    /// Whether the option exists on `platform`.
    pub fn offers_on(&self, platform: Platform) -> bool {
        self.platforms.iter().any(|p| p.name == platform)
    }

    /// Whether a sealed call lacks `feature`.
    pub fn withholds(&self, feature: Feature) -> bool {
        self.unavailable.iter().any(|f| f.name == feature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_release_reads_and_carries_its_own_name() {
        for name in ReleaseName::ALL {
            assert_eq!(Release::of(*name).name, *name);
        }
    }

    #[test]
    fn later_releases_withhold_more_and_run_on_more() {
        let releases: Vec<Release> = ReleaseName::ALL.iter().map(|n| Release::of(*n)).collect();
        for pair in releases.windows(2) {
            for feature in &pair[0].unavailable {
                assert!(pair[1].withholds(feature.name), "{} lost {}", pair[1].name, feature.name);
            }
            for platform in &pair[0].platforms {
                assert!(pair[1].offers_on(platform.name), "{} lost {}", pair[1].name, platform.name);
            }
        }
        let counts: Vec<_> = releases.iter().map(|r| (r.unavailable.len(), r.platforms.len())).collect();
        assert_eq!(counts, [(9, 2), (10, 4), (12, 5), (12, 5)]);
        assert_eq!(
            releases.iter().map(|r| r.group_assignment).collect::<Vec<_>>(),
            [false, false, false, true]
        );
    }

    #[test]
    fn no_platform_that_nobody_documented_has_the_option() {
        let ga = Release::of(ReleaseName::Ga202203);
        for platform in [Platform::Web, Platform::Linux, Platform::Vdi, Platform::Phone] {
            assert!(!ga.offers_on(platform));
        }
    }
}
