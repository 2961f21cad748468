"""What people propose and decide together: release, due process, replies, what is said of others' findings."""
