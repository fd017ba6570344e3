//! What the control loop promises.
