"""What a study will cost before it is measured: passes, floating-point operations, time, memory, disk, money."""
