"""What "rolled out" means for each kind of workload, and where its objects live."""
