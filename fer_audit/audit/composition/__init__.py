"""Who is in a set: shares, intersections, copies, fair draws."""
