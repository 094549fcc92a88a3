//! The HTTP server of RedFlash: raising alerts, callbacks, health and metrics.
