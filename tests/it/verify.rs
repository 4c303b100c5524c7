//! `deploy verify` on a stack: each check, broken by another hand.
