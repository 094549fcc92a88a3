//! The API, with an in-memory store.

mod audit;
mod contact;
mod description;
mod endpoint;
mod event;
mod gateway;
mod group;
mod inbound;
mod key;
mod message;
mod notification;
mod user;
mod world;
