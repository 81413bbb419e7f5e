"""Downloads of learning platforms as class folders: who handed in what, and when, where the platform tells.

Each platform's room reads names alone; contents are copied as they are, under limits, and nothing of them is opened.
"""
