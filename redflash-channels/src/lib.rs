//! The gateways of RedFlash: mail, webhooks, SMS, and the console.
