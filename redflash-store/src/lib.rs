//! The stores of RedFlash, on Diesel.
