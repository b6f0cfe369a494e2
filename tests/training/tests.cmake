# What the plugins' trainers share.
foreach(room training_optimiser training_run training_steps)
    whynot_unit_test(${room} whynot_training)
endforeach()
