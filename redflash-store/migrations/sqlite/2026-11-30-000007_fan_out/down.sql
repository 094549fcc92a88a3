DROP TABLE fan_outs;
