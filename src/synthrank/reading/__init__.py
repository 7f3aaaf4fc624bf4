"""Reading replies: one module a task, tolerant where the meaning is certain, strict where it is not.

Every reader returns a value with a status, so that what was repaired or could not be read is counted, never hidden.
"""
