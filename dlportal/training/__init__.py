"""Training: one loop, schedules, metrics with intervals, calibration, receipts."""
