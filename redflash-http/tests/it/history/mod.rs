//! The pages of what is sent and what came back, over a store in memory.

mod csv;
mod gateway;
mod inbound;
mod live;
mod log;
mod notification;
mod send;
mod world;
