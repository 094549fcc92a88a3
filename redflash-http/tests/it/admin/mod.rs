//! The pages of the web admin, over a store in memory.

mod audit;
mod browser;
mod contact;
mod delivery_world;
mod endpoint;
mod event;
mod gateway;
mod group;
mod home;
mod inbound;
mod key;
mod log;
mod login;
mod profile;
mod search;
mod send;
mod user;
mod world;
