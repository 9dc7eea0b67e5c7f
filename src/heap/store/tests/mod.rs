//! The store on simulated storage: workloads against a model, crashes, faults, damage.

mod basic;
mod crash;
mod damage;
mod edges;
mod fault;
mod format;
mod model;
mod reach;
mod states;
mod steady;
