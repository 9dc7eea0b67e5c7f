//! Linux, by system calls alone.
