//! What the gateway promises about sign-in, sessions, cookies and addresses, and the tests that hold each
//! promise. A test that is removed or renamed fails here; what the tests do is theirs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::ladder::rust_files;

type Row = (u8, &'static str, &'static [&'static str]);

/// Starting a sign-in at a mail provider, and coming back from it.
const SIGN_IN: [Row; 18] = [
    (
        1,
        "only a verified admin on our own page starts",
        &[
            "every_call_needs_an_administrator_and_every_change_a_page_of_ours",
            "a_change_needs_our_form_and_our_origin",
        ],
    ),
    (
        2,
        "state is secret, single-use, short-lived and bounded",
        &[
            "two_flows_share_nothing_secret",
            "a_flow_ends_after_ten_minutes_and_a_parked_code_after_one",
            "a_sixth_open_sign_in_of_a_session_is_refused",
        ],
    ),
    (
        3,
        "PKCE with S256 always",
        &["the_provider_sees_a_challenge_and_never_the_verifier", "a_provider_without_s256_is_refused"],
    ),
    (
        4,
        "the redirect URI is configured, never derived",
        &[
            "the_redirect_uri_is_the_callback_path_and_nothing_else",
            "a_redirect_uri_of_another_address_than_the_files_is_refused",
        ],
    ),
    (
        5,
        "one provider's answer does not finish another's flow",
        &[
            "an_issuer_that_is_named_must_be_the_providers",
            "an_answer_of_another_issuer_is_refused",
            "a_state_of_another_flow_is_refused",
        ],
    ),
    (
        6,
        "the least is asked for, of one tenant",
        &["the_way_out_is_a_page_and_asks_for_the_least", "a_tenant_cannot_leave_its_place_in_the_path"],
    ),
    (
        7,
        "no page of the sign-in is stored or referred to",
        &["pages_leave_with_strict_headers_and_load_one_style_sheet_and_one_script"],
    ),
    (
        8,
        "the callback needs no cookie and only parks",
        &[
            "a_mailbox_is_connected_although_the_callback_comes_without_the_strict_session",
            "the_callback_needs_no_session",
            "only_a_get_of_exactly_the_callback_needs_no_session",
        ],
    ),
    (
        9,
        "only the browser that started exchanges the code",
        &["another_session_is_refused", "another_admins_session_cannot_finish_the_sign_in"],
    ),
    (
        10,
        "every cookie is Strict",
        &[
            "a_mailbox_is_connected_although_the_callback_comes_without_the_strict_session",
            "attributes_are_rebuilt_and_stand_once",
        ],
    ),
    (
        11,
        "odd callbacks are refused and consume nothing",
        &[
            "doubled_and_array_parameters_are_refused",
            "long_values_and_control_characters_are_refused",
            "a_malformed_callback_does_not_consume_its_flow",
            "only_a_get_by_a_person_consumes_a_callback",
        ],
    ),
    (
        12,
        "unknown, expired and used states look the same",
        &["unknown_expired_used_and_malformed_callbacks_get_the_same_page"],
    ),
    (13, "a code is good once", &["a_completion_works_once"]),
    (
        14,
        "what a provider says is not repeated",
        &["a_cancelled_sign_in_gets_fixed_advice", "an_error_keeps_its_word_and_number_and_loses_its_text"],
    ),
    (15, "no redirect leaves our host", &["a_target_with_two_slashes_stays_on_our_host"]),
    (
        16,
        "a token answer is read strictly and is the right account's",
        &[
            "a_redirect_is_not_followed",
            "a_token_of_another_type_is_refused",
            "another_account_than_the_configured_one_is_refused",
            "fewer_permissions_are_named_and_too_few_are_refused",
            "every_claim_that_is_not_ours_is_refused",
        ],
    ),
    (
        17,
        "only listed public hosts are called",
        &[
            "a_host_that_is_not_listed_is_refused_without_a_connection",
            "a_listed_name_that_leads_inside_is_refused_unless_the_operator_trusts_it",
            "providers_are_called_by_https_and_by_no_other_name",
        ],
    ),
    (
        18,
        "disconnecting forgets",
        &[
            "disconnecting_forgets_the_tokens",
            "a_disconnected_mailbox_takes_its_secrets_along_and_nothing_else",
        ],
    ),
];

/// Tokens, kept fresh and sealed.
const TOKENS: [Row; 11] = [
    (
        19,
        "one refresh at a time, stored before it is used",
        &[
            "a_hundred_callers_make_one_token_request",
            "two_processes_share_one_rotating_token",
            "a_token_that_cannot_be_stored_is_not_given_and_not_lost",
        ],
    ),
    (
        20,
        "refreshes keep their time whatever the clock does",
        &[
            "a_token_is_refreshed_at_four_fifths_of_its_life_give_or_take_a_tenth",
            "a_jumping_wall_clock_makes_one_refresh_a_minute_at_most",
        ],
    ),
    (
        21,
        "a dead grant stops, a sick provider is spared",
        &[
            "a_dead_grant_stops_everything_until_an_admin_connects_again",
            "retry_after_is_honoured",
            "a_wrong_client_secret_stops_and_says_so",
        ],
    ),
    (
        22,
        "each record has its own key, wrapped",
        &["what_was_sealed_opens_in_its_place", "parts_of_two_records_cannot_be_mixed"],
    ),
    (
        23,
        "a record opens in its own place only",
        &[
            "no_field_opens_in_another_fields_place",
            "a_record_in_another_place_does_not_open",
            "a_record_opens_in_its_place_and_nowhere_else",
        ],
    ),
    (
        24,
        "keys are strong, private and replaceable",
        &[
            "keys_that_chance_does_not_make_are_refused",
            "a_key_that_every_user_can_read_is_refused",
            "cut_off_after_any_field_a_rekey_goes_on",
            "an_unknown_key_is_named_and_an_earlier_one_still_opens",
        ],
    ),
    (25, "secrets have no readable form", &["a_grant_does_not_show_its_secrets"]),
    (
        26,
        "nothing that is kept tells a secret",
        &[
            "no_token_lies_readable_in_the_data_folder",
            "a_session_outlives_a_restart_and_its_store_tells_nothing",
        ],
    ),
    (
        27,
        "no log line has a query or a credential",
        &["a_log_line_tells_everything_but_query_and_credentials", "no_error_tells_the_query"],
    ),
    (
        28,
        "a store without its key is useless and left alone",
        &["a_store_opened_with_a_wrong_key_is_left_as_it_is"],
    ),
    (
        29,
        "every change and cut of a record is noticed",
        &[
            "every_changed_byte_and_every_cut_is_noticed_in_every_kind_of_field",
            "no_change_and_no_cut_goes_unnoticed",
        ],
    ),
];

/// Who is an admin.
const ADMINS: [Row; 9] = [
    (
        30,
        "the desk's live word decides",
        &["the_desks_word_decides", "a_session_is_found_in_either_place_or_the_same_in_both"],
    ),
    (
        31,
        "asking ends nobody's session",
        &[
            "asking_does_not_end_the_session_of_a_browser_that_moved",
            "the_question_carries_the_browsers_own_agent_and_address",
        ],
    ),
    (
        32,
        "anything but a clear yes is a no",
        &["whatever_is_not_a_clear_yes_is_a_no", "a_desk_that_breaks_off_says_nothing"],
    ),
    (
        33,
        "verdicts are short, keyed and bounded",
        &[
            "a_yes_is_believed_five_seconds_and_a_no_one",
            "another_token_agent_or_address_is_another_question",
            "an_answer_without_end_is_a_no",
            "reading_ends_where_the_notifications_begin",
            "a_desk_that_is_down_is_asked_again_at_once",
            "a_desk_that_takes_longer_than_two_seconds_says_nothing",
        ],
    ),
    (
        34,
        "a change of rights that passes through forgets verdicts",
        &[
            "a_demotion_that_passes_through_is_effective_with_the_next_request",
            "a_demotion_elsewhere_is_effective_within_five_seconds",
            "a_change_of_rights_is_noticed",
        ],
    ),
    (
        35,
        "changes are asked about every time",
        &[
            "what_an_admin_changes_is_asked_about_every_time",
            "pages_believe_a_recent_word_and_changes_ask_anew",
        ],
    ),
    (
        36,
        "a crowd costs one question",
        &[
            "five_hundred_first_requests_at_once_cost_at_most_two_questions",
            "five_hundred_callers_wait_for_one_answer",
        ],
    ),
    (
        37,
        "nobody shapes the question",
        &["nobody_shapes_the_question_who_is_admin", "a_redirect_is_an_answer_and_is_not_followed"],
    ),
    (
        38,
        "a silent desk stops the console and nothing else",
        &["a_desk_that_does_not_say_who_is_admin_stops_the_console_and_nothing_else"],
    ),
];

/// Cookies and sessions.
const COOKIES: [Row; 8] = [
    (
        39,
        "no script holds a session",
        &[
            "the_desks_token_never_reaches_the_browser_and_everything_works",
            "half_a_session_is_none",
            "where_scripts_read_nothing_both_halves_are_cookies_they_cannot_read",
            "a_stolen_jar_is_of_no_use_to_another_browser_elsewhere",
        ],
    ),
    (
        40,
        "each line is rebuilt by itself",
        &[
            "attributes_are_rebuilt_and_stand_once",
            "every_line_stays_its_own_and_is_hardened",
            "a_deletion_still_deletes",
            "an_exception_is_for_its_cookie_and_its_attribute_only",
            "nothing_lives_longer_than_400_days",
            "a_partitioned_cookie_stays_one_only_where_it_may",
        ],
    ),
    (41, "a prefix gets what it promises", &["a_prefix_gets_what_it_demands_in_any_case"]),
    (
        42,
        "what cannot be understood is dropped",
        &[
            "what_cannot_be_understood_is_dropped",
            "an_unreadable_line_takes_no_other_with_it_and_is_counted",
            "odd_lines_mean_what_browsers_make_of_them",
            "an_overlong_attribute_is_left_out",
        ],
    ),
    (
        43,
        "requests are as strict, and our own cookies stay here",
        &[
            "a_cookie_of_a_request_is_found_once_or_refused",
            "a_request_whose_cookies_say_two_things_never_reaches_the_upstream",
            "the_upstream_gets_no_cookie_of_ours_and_one_line",
            "nobody_else_sets_one_of_the_gateways_own_cookies",
            "the_desk_gets_the_token_and_no_cookie_of_a_session",
            "without_the_shield_its_cookie_stays_with_the_gateway",
        ],
    ),
    (
        44,
        "only a final head sets a cookie",
        &[
            "an_interim_answer_sets_no_cookie",
            "a_cookie_is_hardened_whatever_the_status_and_none_of_ours_is_set_by_others",
            "a_cookie_is_hardened_over_http2_too",
        ],
    ),
    (
        45,
        "plain HTTP leads to TLS",
        &["a_redirecting_entry_point_redirects_everything_but_ping", "only_a_trusted_peer_names_the_scheme"],
    ),
    (
        46,
        "no line of any bytes leaves soft",
        &[
            "whatever_line_leaves_has_each_attribute_once",
            "whatever_comes_out_is_hard_once_and_stays_as_it_is",
            "a_well_formed_cookie_keeps_what_it_says",
        ],
    ),
];

/// Where a client is.
const ADDRESSES: [Row; 9] = [
    (
        47,
        "one form of each address",
        &[
            "a_mapped_peer_is_trusted_as_ipv4",
            "a_mapped_range_is_an_ipv4_range",
            "short_octal_named_and_zoned_forms_are_refused",
        ],
    ),
    (
        48,
        "lists are read from the right, past proxies only",
        &[
            "the_first_untrusted_address_from_the_right_is_the_client",
            "rubbish_where_the_client_should_stand_is_an_error",
            "an_endless_chain_is_refused",
        ],
    ),
    (
        49,
        "no word of a client about itself survives",
        &[
            "no_word_of_a_client_about_itself_survives",
            "forwarding_headers_are_ours_whatever_the_client_sent",
        ],
    ),
    (
        50,
        "a list of addresses cannot be wrong unseen",
        &[
            "host_bits_and_everybody_are_warned_of",
            "an_empty_or_missing_list_is_no_configuration",
            "every_wrong_entry_is_told_with_its_place",
        ],
    ),
    (
        51,
        "addresses are looked at first",
        &[
            "the_lists_of_the_moment_decide",
            "address_checks_come_first_and_chains_are_unfolded",
            "who_is_no_trusted_proxy_cannot_write_himself_an_address",
        ],
    ),
    (
        52,
        "a PROXY header is demanded or refused",
        &[
            "the_client_of_a_proxy_header_is_the_one_that_counts",
            "without_a_good_proxy_header_nothing_is_answered",
            "only_the_named_balancer_may_connect",
            "who_may_not_send_a_proxy_header_is_closed_at_once_and_who_may_has_two_seconds",
        ],
    ),
    (
        53,
        "a request sees one generation of rules",
        &["no_request_is_lost_and_each_belongs_to_one_generation"],
    ),
    (54, "a refusal tells nothing", &["a_refusal_has_the_chosen_status_and_tells_nothing"]),
    (55, "an oracle agrees about every client", &["the_client_is_whom_the_oracle_says"]),
];

fn rows() -> impl Iterator<Item = &'static Row> {
    SIGN_IN.iter().chain(&TOKENS).chain(&ADMINS).chain(&COOKIES).chain(&ADDRESSES)
}

/// The names of all tests, by their attribute or by the macro that runs them on both databases.
fn tests() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = ["src", "tests"].into_iter().flat_map(|folder| rust_files(&root.join(folder)));
    let texts = files.map(|file| fs::read_to_string(file).expect("readable source"));
    texts.flat_map(|text| tests_in(&text)).collect()
}

fn tests_in(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        let declared = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        if let Some(name) = declared.and_then(|rest| rest.split('(').next())
            && std::mem::take(&mut is_test)
        {
            found.push(name.to_owned());
        }
    }
    for listed in text.split("on_both!(").skip(1) {
        let names = listed.split(')').next().unwrap_or(listed).split(',').map(str::trim);
        found.extend(names.filter(|name| !name.is_empty()).map(str::to_owned));
    }
    found
}

#[test]
fn every_promise_is_held_by_tests_that_exist() {
    let tests = tests();
    let numbers: Vec<u8> = rows().map(|row| row.0).collect();
    assert_eq!(numbers, (1..=55).collect::<Vec<u8>>());
    for (number, promise, held_by) in rows() {
        assert!(!held_by.is_empty(), "{number}: nothing holds that {promise}");
        for name in *held_by {
            assert!(tests.contains(*name), "{number}: there is no test `{name}` to hold that {promise}");
        }
    }
}

#[test]
fn only_what_runs_counts_as_a_test() {
    let text =
        "#[test]\nfn one() {}\nfn helper() {}\n#[tokio::test]\nasync fn two() {}\non_both!(three,\n four);";
    assert_eq!(tests_in(text), ["one", "two", "three", "four"]);
}
