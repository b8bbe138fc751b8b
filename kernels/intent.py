"""The byte in which a cell says what it wants: 0 it stays, or

    1 + face  move through that face         7 + face  divide through it

An intent always points at a voxel that was empty when it was stated. Earlier in the tick, before anybody wants
anything, the byte holds the marks of those that die (kernels.removal).
"""

MOVE = 1
DIVIDE = 7
