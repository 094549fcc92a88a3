//! The pages of the web admin, over a store in memory.

mod audit;
mod browser;
mod contact;
mod endpoint;
mod event;
mod group;
mod home;
mod key;
mod login;
mod profile;
mod search;
mod user;
mod world;
