whynot_unit_test(solver whynot)
