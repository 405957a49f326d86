//! The Cluster harness: real milepost processes on ports and directories of their own.
