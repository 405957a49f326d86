//! Every limit of every API, in one place, with its unit in the name or the comment.
//!
//! Invariant: a limit is written here once and checked by the type or the rule that it bounds.
//! Lengths of text are counted in characters (Unicode scalar values), never in bytes, so that a
//! Chinese name may be as long as a Latin one. Raising a limit is compatible; lowering one is not.

/// Characters of a resource id.
pub const ID_CHARS: usize = 63;
/// Characters of a resource name that are looked at before it is refused unread.
pub const NAME_CHARS: usize = 1_000;
/// Characters of a display name, in any language.
pub const DISPLAY_NAME_CHARS: usize = 200;
/// Characters of a text: a purpose, a description, a remark, a reason, an annotation.
pub const TEXT_CHARS: usize = 4_096;
/// Characters of a uniform resource identifier.
pub const URI_CHARS: usize = 2_048;
/// Characters of a code in a scheme that is not ours.
pub const CODE_CHARS: usize = 128;

/// Codes of a project, and identifiers of an organization.
pub const CODES: usize = 20;
/// Lines of a project's breakdown of investment.
pub const BREAKDOWN_ITEMS: usize = 100;
/// Lines of a project's funding.
pub const FUNDING_SOURCES: usize = 100;
/// Years a project has a plan for.
pub const ANNUAL_PLANS: usize = 50;
/// Periods a project reports completed investment for.
pub const COMPLETED_INVESTMENTS: usize = 1_000;
/// Periods a project reports received funds for.
pub const RECEIVED_FUNDS: usize = 1_000;
/// Steps in the schedule of a project's plan for a year.
pub const PLAN_STEPS: usize = 24;
/// Years that a plan, a list or a report may be of.
pub const YEARS: std::ops::RangeInclusive<i32> = 1900..=2200;
/// Projects on the list of one year.
pub const ANNUAL_LIST_MEMBERS: usize = 10_000;
/// Fields that one report groups by.
pub const GROUP_BY_FIELDS: usize = 3;
/// Groups in one report.
pub const REPORT_GROUPS: usize = 1_000;
/// Parties of a project.
pub const PARTIES: usize = 200;
/// Roles of one party; each is at most [`SCHEME_CHARS`] characters.
pub const PARTY_ROLES: usize = 20;
/// Holidays of a working calendar, and as many make-up working days.
pub const CALENDAR_DAYS: usize = 2_000;
/// Titles of evidence that a milestone asks for.
pub const REQUIRED_EVIDENCE: usize = 50;
/// Persons who did a thing that another one is to approve, as they are remembered.
pub const PERSONS: usize = 50;
/// Documents given as evidence of one milestone.
pub const EVIDENCE: usize = 200;
/// Bytes of all documents given as evidence of one milestone, enough for [`EVIDENCE`] of them whose URIs are
/// ASCII: events of one milestone must fit an entry under every setting.
pub const EVIDENCE_BYTES: usize = 600 << 10;
/// Working days that a milestone's duration may have.
pub const DURATION_WORKING_DAYS: i32 = 10_000;
/// Days that one command lets begin, and that a portfolio's first current date may lie back.
pub const ADVANCE_DAYS: u32 = 3_660;
/// Assignments of one project that are not deleted.
pub const PROJECT_ASSIGNMENTS: usize = 1_000;
/// Stays of members in one alliance, and members that one change names.
pub const ALLIANCE_MEMBERS: usize = 1_000;
/// Answers to one service request.
pub const SERVICE_ANSWERS: usize = 10;
/// Pauses of one service request.
pub const SERVICE_PAUSES: usize = 100;
/// Characters of the code of a pause.
pub const PAUSE_CODE_CHARS: usize = 64;
/// Documents that show one finding.
pub const FINDING_EVIDENCE: usize = 20;
/// Bytes of all documents that show one finding: the events of all findings of one order must fit an entry.
pub const FINDING_EVIDENCE_BYTES: usize = 32 << 10;
/// Answers to one rectification order.
pub const ORDER_ANSWERS: usize = 10;
/// Documents given with one answer to a rectification order.
pub const ANSWER_EVIDENCE: usize = 20;
/// Bytes of all documents given with the answers to one rectification order.
pub const ORDER_EVIDENCE_BYTES: usize = 256 << 10;
/// Days from the first to the last of a campaign.
pub const CAMPAIGN_DAYS: u32 = 1_000;
/// Members of a campaign, those that left included.
pub const CAMPAIGN_MEMBERS: usize = 1_000;
/// Milestones that the members of a campaign are measured by.
pub const CAMPAIGN_MILESTONES: usize = 10_000;
/// Criteria of a campaign.
pub const CAMPAIGN_CRITERIA: usize = 10;
/// What the weights of a campaign's criteria add up to.
pub const CAMPAIGN_WEIGHT: i32 = 10_000;
/// Versions of what a campaign judges by.
pub const CAMPAIGN_VERSIONS: usize = 100;
/// Bytes of all versions of what a campaign judges by: with its members, targets and sign-offs it must fit an answer, and
/// an event that says the last sign-off once more.
pub const CAMPAIGN_VERSION_BYTES: usize = 512 << 10;
/// Bytes that the standings of a campaign on one day may take: they must fit an answer, and an event.
pub const CAMPAIGN_STANDINGS_BYTES: usize = ANSWER_ITEM_BYTES - (64 << 10);
/// Findings that the standing of a vetoed member names; it counts them all.
pub const STANDING_VETOES: usize = 10;
/// Sign-offs of a campaign.
pub const CAMPAIGN_SIGN_OFFS: usize = 20;
/// Bytes of all sign-offs of a campaign: pioneers, and members that were left out with the reasons.
pub const CAMPAIGN_SIGN_OFF_BYTES: usize = 1 << 20;
/// Policies that take the place of one.
pub const POLICY_SUCCESSORS: usize = 100;
/// Pairs of policies and projects that are looked at for one organization.
pub const MATCHED_PAIRS: usize = 100_000;
/// Parts that a refusal to delete their whole names.
pub const PARTS_NAMED: usize = 10;
/// Bytes of what readers see of an entry of a timeline; an entry holds it twice at most.
pub const TIMELINE_CONTENT_BYTES: usize = 64 << 10;
/// Bytes of the patterns of a rule of a timeline.
pub const TIMELINE_RULE_BYTES: usize = 64 << 10;
/// Resources that an entry of a timeline is about because events joined it.
pub const TIMELINE_JOINED_SUBJECTS: usize = 200;
/// Bytes of the events of entries that rules of a timeline make of one request.
pub const TIMELINE_REACTION_BYTES: usize = 32 << 20;
/// Rules of one timeline that are not deleted, for one type of event.
pub const TIMELINE_RULES_OF_TYPE: usize = 20;
/// Bytes of the items of one version of a template: what is made of them fits an answer, and an entry.
pub const TEMPLATE_ITEM_BYTES: usize = 600 << 10;
/// Days, worked or not, from the date of an item of a template to its anchor.
pub const TEMPLATE_OFFSET_DAYS: i32 = 10_000;
/// Months from the date of an item of a template to its anchor.
pub const TEMPLATE_OFFSET_MONTHS: i32 = 1_200;
/// Periods that have ended when a warning policy is adopted, and that one replay is of.
pub const WARNING_PERIODS: usize = 60;
/// Event types in one selection.
pub const EVENT_TYPES: usize = 64;

/// Pairs in one resource's labels.
pub const LABELS: usize = 64;
/// Characters of a label's value (its key is as an id); none at all is allowed.
pub const LABEL_VALUE_CHARS: usize = 200;
/// Languages one text is translated to.
pub const TRANSLATIONS: usize = 50;
/// Characters of a BCP 47 language tag (RFC 5646, 4.4.1 asks for at least 35).
pub const LANGUAGE_TAG_CHARS: usize = 35;
/// Characters of one line that is not a name: an address, a document's title.
pub const LINE_CHARS: usize = 1_000;
/// Characters of the name of a scheme, a register, a type that is open.
pub const SCHEME_CHARS: usize = 64;
/// Characters of a principal: an id of a person or a program.
pub const PRINCIPAL_CHARS: usize = 200;
/// Characters of a person: a principal of one, or an id of the office's own.
pub const PERSON_CHARS: usize = PRINCIPAL_CHARS;

/// Resources on a page when the request asks for 0.
pub const PAGE_SIZE_DEFAULT: usize = 50;
/// Resources on a page at most; a larger request is answered with this many.
pub const PAGE_SIZE_MAX: usize = 1_000;
/// Bytes of an answer: the message that a gRPC client takes unless it is configured otherwise.
pub const ANSWER_BYTES: usize = 4 << 20;
/// Bytes of the resources or events in an answer that has several; the rest is for its page token, its
/// cursor and its revision. A page is cut here, a batch that would be larger is refused.
pub const ANSWER_ITEM_BYTES: usize = ANSWER_BYTES - (64 << 10);
/// Rows that one page of a list looks at.
pub const PAGE_ROWS: usize = 10_000;
/// Bytes of the rows that one page of a list looks at.
pub const PAGE_ROW_BYTES: usize = 64 << 20;
/// Values of an enum in one list of a request that reads.
pub const ENUM_VALUES: usize = 100;
/// Requests in one batch form (`BatchCreateProjects` and its kin).
pub const BATCH_REQUESTS: usize = 1_000;
/// Projects that one batch starts.
pub const BATCH_MEMBERS: usize = 10_000;
/// Projects in one collection.
pub const COLLECTION_MEMBERS: usize = 10_000;
/// Bytes of the texts in one collection's elements: with as many members as there may be, it must fit an answer.
pub const COLLECTION_ELEMENT_BYTES: usize = 600 << 10;
/// Collections that one project contributes to: the entry that completes it names the elements of all of them.
pub const CONTRIBUTED_COLLECTIONS: usize = 100;
/// What is missing in a computed figure, as far as it is named.
pub const MISSING_NAMED: usize = 1_000;
/// Indicators that are parts of one.
pub const INDICATOR_PARTS: usize = 1_000;
/// How far down parts of parts of an indicator are summed.
pub const INDICATOR_LEVELS: usize = 16;
/// Observations of one period with the same dimensions.
pub const PERIOD_OBSERVATIONS: usize = 100;
/// How often one observation is preferred or retracted.
pub const OBSERVATION_DECISIONS: usize = 50;
/// Periods of one indicator that are compared with those of its whole, of each part, and of what its parts add up to.
pub const PERIODS_COMPARED: usize = 24;
/// Periods in the answer about one indicator.
pub const SERIES_POINTS: usize = 1_000;
/// Contradictions that the answer about one indicator names.
pub const SERIES_CONTRADICTIONS: usize = 100;
/// Values that one contradiction names.
pub const CONTRADICTING_VALUES: usize = 10;
/// Revisions that one read may wait for: one of each ledger.
pub const MIN_REVISIONS: usize = 3;

/// Characters of a request id: visible ASCII.
pub const REQUEST_ID_CHARS: usize = 128;
/// Characters of a cursor, a revision or a page token that are looked at before it is refused unread.
pub const TOKEN_CHARS: usize = 16_384;

/// Characters of a filter.
pub const FILTER_CHARS: usize = 8_192;
/// Comparisons in a filter, each of several values in parentheses counted.
pub const FILTER_COMPARISONS: usize = 64;
/// How deep the parentheses of a filter may be nested, and its conjunctions and alternatives in each other.
pub const FILTER_DEPTH: usize = 32;
/// Comparisons of one filter that an error names, each with its fault; further ones are found by the next
/// attempt.
pub const FILTER_FAULTS: usize = 16;
/// Days that `days(n)` of a filter may be from today, before or after it.
pub const FILTER_DAYS: i32 = 36_600;
/// Characters of an `order_by`.
pub const ORDER_BY_CHARS: usize = 1_024;
/// Fields in an `order_by`.
pub const ORDER_BY_FIELDS: usize = 8;

/// Days of a range of dates that is written as one text, both ends counted.
pub const WRITTEN_RANGE_DAYS: usize = 400;

/// Violations one answer keeps; further ones are only counted.
pub const VIOLATIONS: usize = 1_000;
/// Characters of a caller's text that an error repeats.
pub const QUOTED_CHARS: usize = 80;
