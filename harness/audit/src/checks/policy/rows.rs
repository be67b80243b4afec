//! Effective policies, read off the rows of the policy server's database.
//!
//! Invariant: nothing of a plan is read here; the rows are the second witness of what the oracle makes of the plan.

use std::collections::BTreeMap;

use model::UserId;
use model::plan::PolicyValue;
use model::record::DatabaseRow;

type Values = BTreeMap<String, String>;

fn column<'r>(row: &'r Values, name: &str) -> &'r str {
    row.get(name).map_or("", String::as_str)
}

/// Whether a row is in effect at `at_ns`; one without an end stays so.
fn holds(row: &Values, at_ns: u64) -> bool {
    let number = |name: &str| column(row, name).parse::<u64>().ok();
    number("from_ns").is_some_and(|from| from <= at_ns)
        && number("until_ns").is_none_or(|until| at_ns < until)
}

/// The value that holds for `user` at an instant of the world's clock: that of the direct grant, else of the grant to
/// the group with the best rank, else to the tenant, else of `Global`. None where the database does not know the user
/// or the policy.
pub(super) fn effective(rows: &[DatabaseRow], user: &UserId, at_ns: u64) -> Option<PolicyValue> {
    let of = |table: &'static str| {
        let own =
            move |row: &&DatabaseRow| row.table == table && column(&row.values, "tenant") == user.tenant;
        rows.iter().filter(own).map(|row| &row.values)
    };
    of("users").find(|row| column(row, "user") == user.user)?;
    let now = |table| of(table).filter(|row| holds(row, at_ns));
    let granted = |target: &'static str| now("grants").filter(move |row| column(row, "target") == target);
    let member = |group: &str| {
        now("members").any(|row| column(row, "user") == user.user && column(row, "group_name") == group)
    };
    let rank = |row: &&Values| column(row, "rank").parse::<u32>().unwrap_or(u32::MAX);
    let grant = granted("user")
        .find(|row| column(row, "id") == user.user)
        .or_else(|| granted("group").filter(|row| member(column(row, "id"))).min_by_key(rank))
        .or_else(|| granted("global").next());
    let policy = grant.map_or("Global", |row| column(row, "policy"));
    let value = now("policies").find(|row| column(row, "name") == policy)?;
    column(value, "value").parse().ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn row(table: &str, values: &[(&str, &str)]) -> DatabaseRow {
        let tenant = [("tenant", "a.example")];
        let values = tenant.iter().chain(values).map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        DatabaseRow { table: table.to_owned(), values: values.collect() }
    }

    fn rows() -> Vec<DatabaseRow> {
        let on = PolicyValue::DisabledUserOverride.word();
        let grant = |target, id, policy, rank| {
            row(
                "grants",
                &[("target", target), ("id", id), ("policy", policy), ("rank", rank), ("from_ns", "5")],
            )
        };
        vec![
            row(
                "policies",
                &[("name", "Global"), ("value", "Disabled"), ("from_ns", "0"), ("until_ns", "9")],
            ),
            row("policies", &[("name", "Global"), ("value", on), ("from_ns", "9")]),
            row("policies", &[("name", "On"), ("value", on), ("from_ns", "0")]),
            row("policies", &[("name", "Off"), ("value", "Disabled"), ("from_ns", "0")]),
            row("users", &[("user", "alice")]),
            row("users", &[("user", "bob")]),
            row("users", &[("user", "carol")]),
            row("members", &[("user", "bob"), ("group_name", "g"), ("from_ns", "0")]),
            row("members", &[("user", "bob"), ("group_name", "h"), ("from_ns", "0"), ("until_ns", "7")]),
            grant("user", "alice", "On", "0"),
            grant("group", "g", "Off", "2"),
            grant("group", "h", "On", "1"),
        ]
    }

    #[rstest]
    #[case::before_the_grant("alice", 4, Some(false))]
    #[case::from_the_grant_on("alice", 5, Some(true))]
    #[case::best_rank("bob", 6, Some(true))]
    #[case::out_of_the_better_group("bob", 7, Some(false))]
    #[case::global("carol", 8, Some(false))]
    #[case::global_changed("carol", 9, Some(true))]
    #[case::unknown("dave", 9, None)]
    fn a_policy_is_that_of_its_instant(#[case] user: &str, #[case] at_ns: u64, #[case] on: Option<bool>) {
        let value = effective(&rows(), &UserId::new(user, "a.example"), at_ns);
        assert_eq!(value.map(|value| value == PolicyValue::DisabledUserOverride), on);
    }

    #[test]
    fn rows_that_cannot_be_read_give_no_policy() {
        let mut broken = rows();
        for row in &mut broken {
            row.values.insert("from_ns".to_owned(), "soon".to_owned());
        }
        assert_eq!(effective(&broken, &UserId::new("alice", "a.example"), 9), None);
        assert_eq!(effective(&[], &UserId::new("alice", "a.example"), 9), None);
    }
}
