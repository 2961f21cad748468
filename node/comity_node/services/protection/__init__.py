"""When people are at risk: cases that only assigned staff can tell exist, who is on duty, whom people can turn to."""
