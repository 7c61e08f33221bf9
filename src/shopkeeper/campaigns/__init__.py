"""Campaigns: an audience, words, a channel and a hold-out, from draft to measured lift."""
