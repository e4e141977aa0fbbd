"""What fits forge_jobs to packages of others; nothing of it is imported unless it is named."""
