"""A body small enough to work out by hand: heart, lung, gut, liver, limb."""

SMALL = """
title = "Small"
cardiac_output_mL_per_h = 1000
blood_volume_mL = 100
source = "made up"
[vessels.left_heart]
blood_volume_fraction = 0.1
source = "made up"
[vessels.right_heart]
blood_volume_fraction = 0.2
to = { lung = 1.0 }
source = "made up"
[vessels.portal_vein]
blood_volume_fraction = 0.1
to = { liver = 1.0 }
source = "made up"
[beds.lung]
organ = "lung"
flow_fraction = 0.0
blood_volume_fraction = 0.2
to = { left_heart = 1.0 }
source = "made up"
[beds.gut]
organ = "gut"
flow_fraction = 0.25
blood_volume_fraction = 0.1
to = { portal_vein = 1.0 }
source = "made up"
[beds.liver]
organ = "liver"
flow_fraction = 0.05
blood_volume_fraction = 0.1
to = { right_heart = 1.0 }
source = "made up"
[beds.limb]
organ = "limb"
flow_fraction = 0.7
blood_volume_fraction = 0.2
to = { right_heart = 1.0 }
source = "made up"
[lymph.node]
organ = "nodes"
residence_h = 1.0
to = { duct = 0.75, right_heart = 0.25 }
source = "made up"
[lymph.duct]
residence_h = 0.5
to = { right_heart = 1.0 }
source = "made up"
[sites]
portal = "portal_vein"
central = "right_heart"
arterial = "left_heart"
venous = "limb"
[primaries.gut]
organ = "gut"
routes = { blood = 0.6, lymph = 0.4 }
blood = { portal_vein = 1.0 }
lymph = { node = 1.0 }
source = "made up"
[primaries.limb]
organ = "limb"
routes = { blood = 1.0 }
blood = { right_heart = 1.0 }
source = "made up"
"""
