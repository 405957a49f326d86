//! Who a call is of.

pub mod url;
