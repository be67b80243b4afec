//! The store's operations: what they refuse, and what holds for whom when.

#![expect(clippy::unwrap_used, reason = "tests")]

use model::release::ReleaseName;
use rstest::rstest;

use super::*;
use model::UserId;

const TENANT: &str = "contoso.example";
const DELAY: Duration = Duration::from_secs(1);
const LATER: Duration = Duration::from_secs(3600);
const NOW: Duration = Duration::from_secs(5);

/// A tenant with alice and bob, the policies Counsel (allows) and Strict (does not), and the groups `g1` to
/// `g70`.
fn store(release: ReleaseName) -> PolicyStore {
    let mut store = PolicyStore::open(Duration::ZERO, &Release::of(release)).unwrap();
    store.add_tenant(TENANT, Duration::ZERO).unwrap();
    for user in ["alice", "bob"] {
        store.add_user(TENANT, user).unwrap();
    }
    for group in 1..=70 {
        store.add_group(TENANT, &format!("g{group}")).unwrap();
    }
    store.new_policy(TENANT, "Counsel", Some("DisabledUserOverride"), Duration::ZERO).unwrap();
    store.new_policy(TENANT, "Strict", None, Duration::ZERO).unwrap();
    store.propagation = DELAY;
    store
}

fn ranked() -> PolicyStore {
    store(ReleaseName::R202308)
}

fn user(name: &str) -> GrantTarget {
    GrantTarget::User(name.to_owned())
}

fn group(name: &str) -> GrantTarget {
    GrantTarget::Group(name.to_owned())
}

fn refusal<T: std::fmt::Debug>(result: Result<T, StoreError>) -> Refusal {
    match result {
        Err(StoreError::Refused(refusal)) => refusal,
        other => panic!("no refusal: {other:?}"),
    }
}

/// The name and the source of the policy that holds for alice.
fn alice(store: &PolicyStore, at: Duration) -> (String, Source) {
    let found = store.effective(&UserId::new("alice", TENANT), at).unwrap();
    (found.policy, found.source)
}

fn from(policy: &str, source: Source) -> (String, Source) {
    (policy.to_owned(), source)
}

/// Groups with a policy, best rank first, with their ranks.
fn ranks(store: &PolicyStore) -> Vec<(String, String)> {
    let rows = store.rows().unwrap().into_iter().map(|r| r.values);
    let open = rows.filter(|v| v.get("target").is_some_and(|t| t == "group") && !v.contains_key("until_ns"));
    let mut ranks: Vec<_> = open.map(|v| (v["rank"].clone(), v["id"].clone())).collect();
    ranks.sort();
    ranks
}

#[rstest]
#[case::empty("", None, Refusal::NameNotAllowed)]
#[case::space("Legal Counsel", None, Refusal::NameNotAllowed)]
#[case::line_feed("Legal\nCounsel", None, Refusal::NameNotAllowed)]
#[case::control("Legal\u{0}", None, Refusal::NameNotAllowed)]
#[case::no_break_space("Legal\u{a0}Counsel", None, Refusal::NameNotAllowed)]
#[case::taken("Counsel", None, Refusal::NameNotAllowed)]
#[case::global(GLOBAL, None, Refusal::NameNotAllowed)]
#[case::enabled("Forced", Some("Enabled"), Refusal::UnknownValue)]
#[case::wrong_case("Forced", Some("disabled"), Refusal::UnknownValue)]
#[case::nothing("Forced", Some(""), Refusal::UnknownValue)]
#[case::trailing_space("Forced", Some("Disabled "), Refusal::UnknownValue)]
fn a_new_policy_is_refused(#[case] name: &str, #[case] value: Option<&str>, #[case] reason: Refusal) {
    let mut store = ranked();
    let before = store.rows().unwrap();
    assert_eq!(refusal(store.new_policy(TENANT, name, value, NOW)), reason);
    assert_eq!(store.rows().unwrap(), before);
}

#[rstest]
#[case::enabled("Counsel", "Enabled", Refusal::UnknownValue)]
#[case::enabled_for_everybody(GLOBAL, "Enabled", Refusal::UnknownValue)]
#[case::unknown("Nobody", "Disabled", Refusal::UnknownPolicy)]
#[case::other_case("counsel", "Disabled", Refusal::UnknownPolicy)]
#[case::unknown_goes_first("Nobody", "Enabled", Refusal::UnknownPolicy)]
fn a_change_of_a_policy_is_refused(#[case] name: &str, #[case] value: &str, #[case] reason: Refusal) {
    let mut store = ranked();
    let before = store.rows().unwrap();
    assert_eq!(refusal(store.set_policy(TENANT, name, Some(value), NOW)), reason);
    assert_eq!(store.rows().unwrap(), before);
}

#[rstest]
#[case::user(user("nobody"), Some("Counsel"), None, Refusal::UnknownUser)]
#[case::user_of_another_tenant(user("alice@fabrikam.example"), Some("Counsel"), None, Refusal::UnknownUser)]
#[case::group(group("nobodies"), Some("Counsel"), None, Refusal::UnknownGroup)]
#[case::policy_to_user(user("alice"), Some("Nobody"), None, Refusal::UnknownPolicy)]
#[case::policy_to_group(group("g1"), Some("Nobody"), None, Refusal::UnknownPolicy)]
#[case::policy_to_all(GrantTarget::Global, Some("Nobody"), None, Refusal::UnknownPolicy)]
#[case::rank_of_user(user("alice"), Some("Counsel"), Some(1), Refusal::MalformedRequest)]
#[case::rank_of_all(GrantTarget::Global, Some("Counsel"), Some(1), Refusal::MalformedRequest)]
#[case::unassigning_nobody(user("nobody"), None, None, Refusal::UnknownUser)]
fn a_grant_is_refused(
    #[case] target: GrantTarget,
    #[case] policy: Option<&str>,
    #[case] rank: Option<u32>,
    #[case] reason: Refusal,
) {
    let mut store = ranked();
    let before = store.rows().unwrap();
    assert_eq!(refusal(store.grant(TENANT, &target, policy, rank, NOW)), reason);
    assert_eq!(store.rows().unwrap(), before);
}

#[rstest]
#[case::september(ReleaseName::Preview202109)]
#[case::october(ReleaseName::Preview202110)]
#[case::general_availability(ReleaseName::Ga202203)]
fn groups_are_refused_in_releases_without_them(#[case] release: ReleaseName) {
    let mut store = store(release);
    let refused = refusal(store.grant(TENANT, &group("g1"), Some("Counsel"), None, NOW));
    assert_eq!(refused, Refusal::GroupsNotSupported);
    let unassigned = refusal(store.grant(TENANT, &group("g1"), None, None, NOW));
    assert_eq!(unassigned, Refusal::GroupsNotSupported);
}

#[rstest]
#[case::global(GLOBAL, Refusal::GlobalCannotBeRemoved)]
#[case::unknown("Nobody", Refusal::UnknownPolicy)]
#[case::granted_to_a_user("Counsel", Refusal::PolicyInUse)]
#[case::granted_to_a_group("OfGroup", Refusal::PolicyInUse)]
#[case::granted_to_everybody("OfAll", Refusal::PolicyInUse)]
fn a_removal_is_refused(#[case] name: &str, #[case] reason: Refusal) {
    let mut store = ranked();
    for policy in ["OfGroup", "OfAll"] {
        store.new_policy(TENANT, policy, None, NOW).unwrap();
    }
    store.grant(TENANT, &user("alice"), Some("Counsel"), None, NOW).unwrap();
    store.grant(TENANT, &group("g1"), Some("OfGroup"), None, NOW).unwrap();
    store.grant(TENANT, &GrantTarget::Global, Some("OfAll"), None, NOW).unwrap();
    let before = store.rows().unwrap();
    assert_eq!(refusal(store.remove_policy(TENANT, name, NOW)), reason);
    assert_eq!(store.rows().unwrap(), before);
}

#[test]
fn a_policy_can_be_removed_and_its_name_used_again() {
    let mut store = ranked();
    store.grant(TENANT, &user("alice"), Some("Counsel"), None, NOW).unwrap();
    store.grant(TENANT, &user("alice"), None, None, NOW).unwrap();
    store.remove_policy(TENANT, "Counsel", NOW).unwrap();
    assert_eq!(refusal(store.policy(TENANT, "Counsel")), Refusal::UnknownPolicy);
    assert_eq!(refusal(store.remove_policy(TENANT, "Counsel", NOW)), Refusal::UnknownPolicy);
    assert_eq!(
        refusal(store.grant(TENANT, &user("bob"), Some("Counsel"), None, NOW)),
        Refusal::UnknownPolicy
    );
    store.new_policy(TENANT, "Counsel", None, NOW).unwrap();
    assert_eq!(store.policy(TENANT, "Counsel").unwrap().value, PolicyValue::Disabled);
}

#[test]
fn a_policy_is_disabled_unless_something_else_is_said() {
    let store = ranked();
    let values: Vec<_> = store.policies(TENANT).unwrap().into_iter().map(|p| (p.name, p.value)).collect();
    let expected = [
        ("Counsel", PolicyValue::DisabledUserOverride),
        (GLOBAL, PolicyValue::Disabled),
        ("Strict", PolicyValue::Disabled),
    ];
    assert_eq!(values, expected.map(|(name, value)| (name.to_owned(), value)));
}

#[rstest]
#[case::nothing(&[], from(GLOBAL, Source::Global))]
#[case::tenant(&["global"], from("OfAll", Source::Global))]
#[case::group_before_tenant(&["global", "group"], from("OfGroup", Source::Group))]
#[case::user_before_tenant(&["global", "user"], from("OfUser", Source::User))]
#[case::user_before_group(&["group", "user"], from("OfUser", Source::User))]
#[case::user_before_all(&["global", "group", "user"], from("OfUser", Source::User))]
fn the_nearest_grant_holds(#[case] granted: &[&str], #[case] expected: (String, Source)) {
    let mut store = ranked();
    store.join(TENANT, "g1", "alice", NOW).unwrap();
    for policy in ["OfAll", "OfGroup", "OfUser"] {
        store.new_policy(TENANT, policy, None, NOW).unwrap();
    }
    for target in granted {
        let (target, policy) = match *target {
            "global" => (GrantTarget::Global, "OfAll"),
            "group" => (group("g1"), "OfGroup"),
            _ => (user("alice"), "OfUser"),
        };
        store.grant(TENANT, &target, Some(policy), None, NOW).unwrap();
    }
    assert_eq!(alice(&store, LATER), expected);
    let bob = store.effective(&UserId::new("bob", TENANT), LATER).unwrap();
    assert_eq!(bob.source, Source::Global, "{bob:?}");
}

#[test]
fn unassignment_falls_back_one_step_at_a_time() {
    let mut store = ranked();
    store.join(TENANT, "g1", "alice", NOW).unwrap();
    store.grant(TENANT, &user("alice"), Some("Counsel"), None, NOW).unwrap();
    store.grant(TENANT, &group("g1"), Some("Strict"), None, NOW).unwrap();
    assert_eq!(alice(&store, LATER), from("Counsel", Source::User));
    store.grant(TENANT, &user("alice"), None, None, NOW).unwrap();
    assert_eq!(alice(&store, LATER), from("Strict", Source::Group));
    store.grant(TENANT, &group("g1"), None, None, NOW).unwrap();
    assert_eq!(alice(&store, LATER), from(GLOBAL, Source::Global));
    store.grant(TENANT, &user("alice"), None, None, NOW).unwrap();
    assert_eq!(alice(&store, LATER), from(GLOBAL, Source::Global));
}

#[test]
fn the_group_with_the_best_rank_holds() {
    let mut store = ranked();
    for name in ["g1", "g2"] {
        store.join(TENANT, name, "alice", NOW).unwrap();
    }
    store.grant(TENANT, &group("g1"), Some("Strict"), None, NOW).unwrap();
    store.grant(TENANT, &group("g2"), Some("Counsel"), None, NOW).unwrap();
    assert_eq!(alice(&store, LATER), from("Strict", Source::Group));
    store.grant(TENANT, &group("g2"), Some("Counsel"), Some(1), NOW).unwrap();
    assert_eq!(alice(&store, LATER), from("Counsel", Source::Group));
    store.leave(TENANT, "g2", "alice", NOW).unwrap();
    assert_eq!(alice(&store, LATER), from("Strict", Source::Group));
}

#[rstest]
#[case::omitted(&[("g1", None), ("g2", None), ("g3", None)], &["g1", "g2", "g3"])]
#[case::shifted(&[("g1", Some(1)), ("g2", Some(1)), ("g3", Some(2))], &["g2", "g3", "g1"])]
#[case::normalised(&[("g1", Some(40)), ("g2", Some(7)), ("g3", None)], &["g1", "g2", "g3"])]
#[case::nought(&[("g1", None), ("g2", Some(0))], &["g2", "g1"])]
#[case::largest(&[("g1", None), ("g2", Some(u32::MAX))], &["g1", "g2"])]
#[case::kept(&[("g1", None), ("g2", None), ("g1", None)], &["g1", "g2"])]
#[case::moved(
    &[("g1", None), ("g2", None), ("g3", None), ("g3", Some(1)), ("g1", Some(3))],
    &["g3", "g2", "g1"]
)]
fn ranks_have_no_gap(#[case] grants: &[(&str, Option<u32>)], #[case] expected: &[&str]) {
    let mut store = ranked();
    let mut got = None;
    for (name, rank) in grants {
        got = store.grant(TENANT, &group(name), Some("Counsel"), *rank, NOW).unwrap();
    }
    let numbered = (1..).zip(expected).map(|(rank, name): (u32, _)| (rank.to_string(), (*name).to_owned()));
    let expected: Vec<_> = numbered.collect();
    assert_eq!(ranks(&store), expected);
    let (last, _) = grants.last().unwrap();
    assert!(expected.contains(&(got.unwrap().to_string(), (*last).to_owned())));
}

#[test]
fn an_unassigned_group_closes_the_gap() {
    let mut store = ranked();
    for name in ["g1", "g2", "g3"] {
        store.grant(TENANT, &group(name), Some("Counsel"), None, NOW).unwrap();
    }
    assert_eq!(store.grant(TENANT, &group("g2"), None, None, NOW).unwrap(), None);
    assert_eq!(ranks(&store), [("1".to_owned(), "g1".to_owned()), ("2".to_owned(), "g3".to_owned())]);
}

#[test]
fn the_sixty_fifth_group_is_refused() {
    let mut store = ranked();
    for number in 1..=GROUPS_MAX {
        store.grant(TENANT, &group(&format!("g{number}")), Some("Counsel"), None, NOW).unwrap();
    }
    let refused = refusal(store.grant(TENANT, &group("g65"), Some("Counsel"), Some(1), NOW));
    assert_eq!(refused, Refusal::TooManyGroups);
    store.grant(TENANT, &group("g64"), Some("Strict"), Some(1), NOW).unwrap();
    store.grant(TENANT, &group("g1"), None, None, NOW).unwrap();
    assert_eq!(store.grant(TENANT, &group("g65"), Some("Counsel"), None, NOW).unwrap(), Some(64));
}

fn grants_directly(store: &mut PolicyStore) {
    store.grant(TENANT, &user("alice"), Some("Strict"), None, NOW).unwrap();
}

fn grants_to_everybody(store: &mut PolicyStore) {
    store.grant(TENANT, &GrantTarget::Global, Some("Strict"), None, NOW).unwrap();
}

fn grants_to_her_group(store: &mut PolicyStore) {
    store.grant(TENANT, &group("g1"), Some("Counsel"), None, NOW).unwrap();
}

fn joins_a_group_with_a_policy(store: &mut PolicyStore) {
    store.join(TENANT, "g2", "alice", NOW).unwrap();
}

/// Each change is asked for at `NOW` and shows from `NOW + DELAY` on, not a nanosecond earlier.
#[rstest]
#[case::direct_grant(grants_directly, "Strict")]
#[case::grant_to_everybody(grants_to_everybody, "Strict")]
#[case::grant_to_a_group(grants_to_her_group, "Counsel")]
#[case::joining(joins_a_group_with_a_policy, "Strict")]
fn a_change_shows_after_the_propagation_delay(#[case] change: fn(&mut PolicyStore), #[case] after: &str) {
    let mut store = ranked();
    store.join(TENANT, "g1", "alice", Duration::ZERO).unwrap();
    store.grant(TENANT, &group("g2"), Some("Strict"), None, Duration::ZERO).unwrap();
    change(&mut store);
    let instant = Duration::from_nanos(1);
    for before in [Duration::ZERO, NOW, NOW + DELAY - instant] {
        assert_eq!(alice(&store, before), from(GLOBAL, Source::Global), "{before:?}");
    }
    for at in [NOW + DELAY, NOW + DELAY + instant, LATER] {
        assert_eq!(alice(&store, at).0, after, "{at:?}");
    }
    assert_eq!(store.configured(&UserId::new("alice", TENANT)).unwrap().policy, after);
}

fn leaves(store: &mut PolicyStore) {
    store.leave(TENANT, "g1", "alice", NOW).unwrap();
}

fn moves_her_group_down(store: &mut PolicyStore) {
    store.grant(TENANT, &group("g2"), Some("Counsel"), Some(1), NOW).unwrap();
}

fn unassigns_her_group(store: &mut PolicyStore) {
    store.grant(TENANT, &group("g1"), None, None, NOW).unwrap();
}

/// Alice is in `g1`, which has Strict, and in `g2`, which comes after it with Counsel.
#[rstest]
#[case::leaving(leaves)]
#[case::a_better_rank_for_another_group(moves_her_group_down)]
#[case::unassigning_the_group(unassigns_her_group)]
fn a_loss_shows_after_the_propagation_delay(#[case] change: fn(&mut PolicyStore)) {
    let mut store = ranked();
    for (name, policy) in [("g1", "Strict"), ("g2", "Counsel")] {
        store.join(TENANT, name, "alice", Duration::ZERO).unwrap();
        store.grant(TENANT, &group(name), Some(policy), None, Duration::ZERO).unwrap();
    }
    change(&mut store);
    assert_eq!(alice(&store, NOW + DELAY - Duration::from_nanos(1)), from("Strict", Source::Group));
    assert_eq!(alice(&store, NOW + DELAY), from("Counsel", Source::Group));
}

#[test]
fn a_value_is_configured_at_once_and_effective_later() {
    let mut store = ranked();
    let alice = UserId::new("alice", TENANT);
    store.set_policy(TENANT, GLOBAL, Some("DisabledUserOverride"), NOW).unwrap();
    assert_eq!(store.policy(TENANT, GLOBAL).unwrap().value, PolicyValue::DisabledUserOverride);
    assert_eq!(store.configured(&alice).unwrap().value, PolicyValue::DisabledUserOverride);
    assert_eq!(store.effective(&alice, NOW).unwrap().value, PolicyValue::Disabled);
    assert_eq!(store.effective(&alice, NOW + DELAY).unwrap().value, PolicyValue::DisabledUserOverride);
}

#[test]
fn a_change_taken_back_before_it_took_effect_shows_for_as_long_as_it_stood() {
    let mut store = ranked();
    let half = DELAY / 2;
    store.grant(TENANT, &user("alice"), Some("Counsel"), None, NOW).unwrap();
    store.grant(TENANT, &user("alice"), None, None, NOW + half).unwrap();
    assert_eq!(alice(&store, NOW + half), from(GLOBAL, Source::Global));
    assert_eq!(alice(&store, NOW + DELAY), from("Counsel", Source::User));
    assert_eq!(alice(&store, NOW + DELAY + half), from(GLOBAL, Source::Global));
}

#[test]
fn two_changes_at_one_instant_leave_the_second() {
    let mut store = ranked();
    store.set_policy(TENANT, "Strict", Some("DisabledUserOverride"), NOW).unwrap();
    store.set_policy(TENANT, "Strict", Some("Disabled"), NOW).unwrap();
    store.grant(TENANT, &user("alice"), Some("Counsel"), None, NOW).unwrap();
    store.grant(TENANT, &user("alice"), Some("Strict"), None, NOW).unwrap();
    let found = store.effective(&UserId::new("alice", TENANT), NOW + DELAY).unwrap();
    assert_eq!((found.policy.as_str(), found.value), ("Strict", PolicyValue::Disabled));
}

#[rstest]
#[case::unknown_group("nobodies", "alice", Refusal::UnknownGroup)]
#[case::unknown_user("g1", "nobody", Refusal::UnknownUser)]
#[case::no_member("g1", "bob", Refusal::UnknownUser)]
fn nobody_leaves_a_group_without_being_in_it(
    #[case] name: &str,
    #[case] user: &str,
    #[case] reason: Refusal,
) {
    let mut store = ranked();
    assert_eq!(refusal(store.leave(TENANT, name, user, NOW)), reason);
}

#[test]
fn joining_twice_is_joining_once() {
    let mut store = ranked();
    store.join(TENANT, "g1", "alice", NOW).unwrap();
    let once = store.rows().unwrap();
    store.join(TENANT, "g1", "alice", LATER).unwrap();
    assert_eq!(store.rows().unwrap(), once);
}

#[test]
fn a_user_of_another_tenant_is_unknown() {
    let mut store = ranked();
    store.add_tenant("fabrikam.example", Duration::ZERO).unwrap();
    let refused = refusal(store.effective(&UserId::new("alice", "fabrikam.example"), LATER));
    assert_eq!(refused, Refusal::UnknownUser);
    let refused = refusal(store.grant("fabrikam.example", &GrantTarget::Global, Some("Counsel"), None, NOW));
    assert_eq!(refused, Refusal::UnknownPolicy);
}

#[test]
fn a_token_is_good_for_what_it_was_made_for_and_prints_as_an_ellipsis() {
    let mut store = ranked();
    let (known, unknown) = (Token::presented("known"), Token::presented("unknown"));
    store.add_token(&known, &GoodFor::Administration(TENANT.to_owned())).unwrap();
    assert_eq!(store.good_for(&known).unwrap(), Some(GoodFor::Administration(TENANT.to_owned())));
    assert_eq!(store.good_for(&unknown).unwrap(), None);
    let alice = GoodFor::EffectivePolicy(UserId::new("alice", TENANT));
    store.add_token(&unknown, &alice).unwrap();
    assert_eq!(store.good_for(&unknown).unwrap(), Some(alice));
    let printed = format!("{:?}", store.rows().unwrap());
    assert!(printed.contains("\"sha256\": \"…\""), "{printed}");
    assert!(!printed.contains(&known.sha256()));
}

#[test]
fn a_change_without_a_value_leaves_the_value() {
    let mut store = ranked();
    let left = store.set_policy(TENANT, "Counsel", None, NOW).unwrap();
    assert_eq!(left.value, PolicyValue::DisabledUserOverride);
    assert_eq!(store.policy(TENANT, "Counsel").unwrap(), left);
}

#[test]
fn the_rows_tell_the_history_of_a_change() {
    let mut store = PolicyStore::open(DELAY, &Release::of(ReleaseName::Ga202203)).unwrap();
    store.add_tenant(TENANT, Duration::ZERO).unwrap();
    store.set_policy(TENANT, GLOBAL, Some("DisabledUserOverride"), NOW).unwrap();
    let rows: Vec<_> =
        store.rows().unwrap().into_iter().map(|r| format!("{} {:?}", r.table, r.values)).collect();
    insta::assert_snapshot!(rows.join("\n"), @r#"
    tenants {"tenant": "contoso.example"}
    policies {"from_ns": "0", "name": "Global", "tenant": "contoso.example", "until_ns": "6000000000", "value": "Disabled"}
    policies {"from_ns": "6000000000", "name": "Global", "tenant": "contoso.example", "value": "DisabledUserOverride"}
    changes {"asked_ns": "0", "effective_ns": "0", "number": "1", "operation": "tenant", "subject": "contoso.example", "tenant": "contoso.example"}
    changes {"asked_ns": "5000000000", "effective_ns": "6000000000", "number": "2", "operation": "set", "subject": "Global", "tenant": "contoso.example"}
    "#);
}
