//! The domain of RedFlash: who is told what, by which channel, and why.
//!
//! The words of the domain, each with one meaning everywhere:
//!
//! | word | meaning |
//! | --- | --- |
//! | contact | a person or system that can be told; has endpoints; on/off |
//! | endpoint | one address of a contact on one channel; on/off |
//! | channel | a way of telling, such as `sms`, `email` or `webhook` |
//! | gateway | a configured, named instance of a channel |
//! | delivery | one message to one endpoint |
//! | attempt | one hand-over of a delivery to a gateway |

mod clock;
mod retry;
mod slug;
pub mod template;

pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use retry::RetrySchedule;
pub use slug::{Slug, SlugError};
pub use template::{Arguments, Template, TemplateError};
