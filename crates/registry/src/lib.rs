//! Who and what: portfolios, organizations, projects, phases and batches.
